/*
 * Copyright (c) 2026 The gluonzoo authors
 * Licensed under the Apache License, Version 2.0; see the file LICENSE.
 */
/*!
 * \file corner_pool_library.cu
 * \brief The GPU half of the library.
 */
#include <stdexcept>

#include "corner_pool_library.h"

namespace gluonzoo {
namespace {

template <typename T>
void Run(const corner_pool::Job<T>& job, void* stream) {
  const cudaError_t status = corner_pool::RunOnGpu(job, static_cast<cudaStream_t>(stream));
  if (status != cudaSuccess) throw std::runtime_error(cudaGetErrorString(status));
}

template <typename T>
void Forward(corner_pool::Direction direction, corner_pool::Shape shape, const void* x, void* y, bool accumulate,
             void* stream) {
  Run(corner_pool::ForwardJob(direction, shape, static_cast<const T*>(x), static_cast<T*>(y), accumulate), stream);
}

template <typename T>
void Backward(corner_pool::Direction direction, corner_pool::Shape shape, const void* dy, const void* x, void* dx,
              bool accumulate, void* stream) {
  Run(corner_pool::BackwardJob(direction, shape, static_cast<const T*>(dy), static_cast<const T*>(x),
                               static_cast<T*>(dx), accumulate),
      stream);
}

}  // namespace

void ForwardOnGpu(corner_pool::Direction direction, corner_pool::Shape shape, int dtype, const void* x, void* y,
                  bool accumulate, void* stream) {
  if (dtype == 0) return Forward<float>(direction, shape, x, y, accumulate, stream);
  if (dtype == 1) return Forward<double>(direction, shape, x, y, accumulate, stream);
  Forward<corner_pool::Half>(direction, shape, x, y, accumulate, stream);
}

void BackwardOnGpu(corner_pool::Direction direction, corner_pool::Shape shape, int dtype, const void* dy, const void* x,
                   void* dx, bool accumulate, void* stream) {
  if (dtype == 0) return Backward<float>(direction, shape, dy, x, dx, accumulate, stream);
  if (dtype == 1) return Backward<double>(direction, shape, dy, x, dx, accumulate, stream);
  Backward<corner_pool::Half>(direction, shape, dy, x, dx, accumulate, stream);
}

}  // namespace gluonzoo
