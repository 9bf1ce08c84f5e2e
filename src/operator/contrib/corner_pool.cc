/*
 * Copyright (c) 2026 The gluonzoo authors
 * Licensed under the Apache License, Version 2.0; see the file LICENSE.
 */
/*!
 * \file corner_pool.cc
 * \brief Registration of the corner pools, and their CPU implementation.
 */
#include "./corner_pool-inl.h"

namespace mxnet {
namespace op {

#define CORNER_POOL_COMMON                                                                                            \
  "\n\nThe gradient of an output goes to the one input that is the maximum there. In a tie, the first maximum met\n"  \
  "along the scan keeps it. A NaN counts as greater than every number: from the first one met the rest of the line\n" \
  "is NaN, and that NaN receives its gradient. float16 gradients are summed in float32.\n\n"

// One operator and its gradient, which needs the output gradient and the input.
#define CORNER_POOL_REGISTER(name, Pool, description)                                                           \
  NNVM_REGISTER_OP(_contrib_##name)                                                                             \
      .describe(std::string(description) + ADD_FILELINE)                                                        \
      .set_num_inputs(1)                                                                                        \
      .set_num_outputs(1)                                                                                       \
      .set_attr<nnvm::FListInputNames>("FListInputNames",                                                       \
                                       [](const NodeAttrs& attrs) { return std::vector<std::string>{"data"}; }) \
      .set_attr<mxnet::FInferShape>("FInferShape", CornerPoolShape<Pool>)                                       \
      .set_attr<nnvm::FInferType>("FInferType", CornerPoolType<Pool>)                                           \
      .set_attr<FCompute>("FCompute<cpu>", CornerPoolForward<cpu, Pool>)                                        \
      .set_attr<nnvm::FGradient>("FGradient", ElemwiseGradUseIn{"_backward_contrib_" #name})                    \
      .set_attr<nnvm::FInplaceOption>("FInplaceOption",                                                         \
                                      [](const NodeAttrs& attrs) {                                              \
                                        return std::vector<std::pair<int, int> >{{0, 0}};                       \
                                      })                                                                        \
      .add_argument("data", "NDArray-or-Symbol", "(N, C, H, W), float16, float32 or float64");                  \
  NNVM_REGISTER_OP(_backward_contrib_##name)                                                                    \
      .set_num_inputs(2)                                                                                        \
      .set_num_outputs(1)                                                                                       \
      .set_attr<nnvm::TIsBackward>("TIsBackward", true)                                                         \
      .set_attr<nnvm::FInplaceOption>("FInplaceOption",                                                         \
                                      [](const NodeAttrs& attrs) {                                              \
                                        return std::vector<std::pair<int, int> >{{0, 0}};                       \
                                      })                                                                        \
      .set_attr<FCompute>("FCompute<cpu>", CornerPoolBackward<cpu, Pool>)

CORNER_POOL_REGISTER(top_pool, TopPool,
                     R"code(Running maximum from the bottom row up: y[i] = max(x[i:]) over axis 2.

Example::

  x = [[[[1], [3], [2]]]]
  top_pool(x) = [[[[3], [3], [2]]]]
)code" CORNER_POOL_COMMON);

CORNER_POOL_REGISTER(bottom_pool, BottomPool,
                     R"code(Running maximum from the top row down: y[i] = max(x[:i+1]) over axis 2.

Example::

  x = [[[[1], [3], [2]]]]
  bottom_pool(x) = [[[[1], [3], [3]]]]
)code" CORNER_POOL_COMMON);

CORNER_POOL_REGISTER(left_pool, LeftPool,
                     R"code(Running maximum from the right column leftwards: y[j] = max(x[j:]) over axis 3.

Example::

  x = [[[[1, 3, 2]]]]
  left_pool(x) = [[[[3, 3, 2]]]]
)code" CORNER_POOL_COMMON);

CORNER_POOL_REGISTER(right_pool, RightPool,
                     R"code(Running maximum from the left column rightwards: y[j] = max(x[:j+1]) over axis 3.

Example::

  x = [[[[1, 3, 2]]]]
  right_pool(x) = [[[[1, 3, 3]]]]
)code" CORNER_POOL_COMMON);

}  // namespace op
}  // namespace mxnet
