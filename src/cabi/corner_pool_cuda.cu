/*
 * Copyright (c) 2026 The gluonzoo authors
 * Licensed under the Apache License, Version 2.0; see the file LICENSE.
 */
/*!
 * \file corner_pool_cuda.cu
 * \brief A C interface to the GPU kernels, so that they are tested and measured without MXNet
 * (scripts/bench/bench_ops_cuda.py).
 *
 * op: 0 top, 1 bottom, 2 left, 3 right. dtype: 0 float32, 1 float64, 2 float16, as in MXNet. Pointers are device
 * memory. Every function returns a cudaError_t; cudaErrorInvalidValue for another op or dtype.
 */
#include "corner_pool_scan.h"

namespace {

bool IsKnown(int op, int dtype) { return op >= 0 && op < 4 && dtype >= 0 && dtype < 3; }

corner_pool::Direction DirectionOf(int op) {
  const corner_pool::Direction directions[] = {corner_pool::Top(), corner_pool::Bottom(), corner_pool::Left(),
                                               corner_pool::Right()};
  return directions[op];
}

template <typename T>
cudaError_t Forward(int op, const void* x, void* y, corner_pool::Shape shape, void* stream) {
  return corner_pool::RunOnGpu(
      corner_pool::ForwardJob(DirectionOf(op), shape, static_cast<const T*>(x), static_cast<T*>(y), false),
      static_cast<cudaStream_t>(stream));
}

template <typename T>
cudaError_t Backward(int op, bool accumulate, const void* dy, const void* x, void* dx, corner_pool::Shape shape,
                     void* stream) {
  return corner_pool::RunOnGpu(corner_pool::BackwardJob(DirectionOf(op), shape, static_cast<const T*>(dy),
                                                        static_cast<const T*>(x), static_cast<T*>(dx), accumulate),
                               static_cast<cudaStream_t>(stream));
}

}  // namespace

extern "C" int corner_pool_forward(int op, int dtype, const void* x, void* y, int64_t planes, int64_t height,
                                   int64_t width, void* stream) {
  if (!IsKnown(op, dtype)) return cudaErrorInvalidValue;
  const corner_pool::Shape shape = {planes, height, width};
  if (dtype == 0) return Forward<float>(op, x, y, shape, stream);
  if (dtype == 1) return Forward<double>(op, x, y, shape, stream);
  return Forward<corner_pool::Half>(op, x, y, shape, stream);
}

extern "C" int corner_pool_backward(int op, int dtype, int accumulate, const void* dy, const void* x, void* dx,
                                    int64_t planes, int64_t height, int64_t width, void* stream) {
  if (!IsKnown(op, dtype)) return cudaErrorInvalidValue;
  const corner_pool::Shape shape = {planes, height, width};
  if (dtype == 0) return Backward<float>(op, accumulate != 0, dy, x, dx, shape, stream);
  if (dtype == 1) return Backward<double>(op, accumulate != 0, dy, x, dx, shape, stream);
  return Backward<corner_pool::Half>(op, accumulate != 0, dy, x, dx, shape, stream);
}
