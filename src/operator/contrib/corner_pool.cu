/*
 * Copyright (c) 2026 The gluonzoo authors
 * Licensed under the Apache License, Version 2.0; see the file LICENSE.
 */
/*!
 * \file corner_pool.cu
 * \brief GPU implementation of the corner pools.
 */
#include "./corner_pool-inl.h"

namespace mxnet {
namespace op {

#define CORNER_POOL_REGISTER_GPU(name, Pool)                                                           \
  NNVM_REGISTER_OP(_contrib_##name).set_attr<FCompute>("FCompute<gpu>", CornerPoolForward<gpu, Pool>); \
  NNVM_REGISTER_OP(_backward_contrib_##name).set_attr<FCompute>("FCompute<gpu>", CornerPoolBackward<gpu, Pool>)

CORNER_POOL_REGISTER_GPU(top_pool, TopPool);
CORNER_POOL_REGISTER_GPU(bottom_pool, BottomPool);
CORNER_POOL_REGISTER_GPU(left_pool, LeftPool);
CORNER_POOL_REGISTER_GPU(right_pool, RightPool);

}  // namespace op
}  // namespace mxnet
