/*
 * Copyright (c) 2026 The gluonzoo authors
 * Licensed under the Apache License, Version 2.0; see the file LICENSE.
 */
/*!
 * \file corner_pool_library.h
 * \brief The four operators as the library knows them.
 */
#ifndef GLUONZOO_LIBRARY_CORNER_POOL_LIBRARY_H_
#define GLUONZOO_LIBRARY_CORNER_POOL_LIBRARY_H_

#include <stdint.h>

#include "corner_pool_scan.h"

namespace gluonzoo {

struct CornerPool {
  const char* name;
  corner_pool::Direction direction;
  const char* description;
};

enum { kTop, kBottom, kLeft, kRight, kCornerPools };

/*! \brief the operators, in the order of the enumeration above */
const CornerPool& Operator(int index);

/*! \brief whether complete.cc has completed them */
bool& AreComplete();

// On a stream of the GPU; dtype as in MXDType. Defined where CUDA is compiled in.
void ForwardOnGpu(corner_pool::Direction direction, corner_pool::Shape shape, int dtype, const void* x, void* y,
                  bool accumulate, void* stream);
void BackwardOnGpu(corner_pool::Direction direction, corner_pool::Shape shape, int dtype, const void* dy, const void* x,
                   void* dx, bool accumulate, void* stream);

}  // namespace gluonzoo

#endif  // GLUONZOO_LIBRARY_CORNER_POOL_LIBRARY_H_
