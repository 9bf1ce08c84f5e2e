/*
 * Copyright (c) 2026 The gluonzoo authors
 * Licensed under the Apache License, Version 2.0; see the file LICENSE.
 */
/*!
 * \file corner_pool-inl.h
 * \brief Corner pooling as operators of MXNet: inference of shapes and types, and the calls of corner_pool_scan.h.
 */
#ifndef MXNET_OPERATOR_CONTRIB_CORNER_POOL_INL_H_
#define MXNET_OPERATOR_CONTRIB_CORNER_POOL_INL_H_

#include <mxnet/operator_util.h>

#include <vector>

#include "../elemwise_op_common.h"
#include "../mshadow_op.h"
#include "../operator_common.h"
#include "./corner_pool_scan.h"

namespace mxnet {
namespace op {

struct TopPool {
  static const char* Name() { return "top_pool"; }
  static corner_pool::Direction Direction() { return corner_pool::Top(); }
};

struct BottomPool {
  static const char* Name() { return "bottom_pool"; }
  static corner_pool::Direction Direction() { return corner_pool::Bottom(); }
};

struct LeftPool {
  static const char* Name() { return "left_pool"; }
  static corner_pool::Direction Direction() { return corner_pool::Left(); }
};

struct RightPool {
  static const char* Name() { return "right_pool"; }
  static corner_pool::Direction Direction() { return corner_pool::Right(); }
};

// The errors below start with their kind, as MXNet's do; it would take the first word before a colon for it.

template <typename Pool>
inline bool CornerPoolShape(const nnvm::NodeAttrs& attrs, mxnet::ShapeVector* in_attrs, mxnet::ShapeVector* out_attrs) {
  CHECK_EQ(in_attrs->size(), 1U);
  CHECK_EQ(out_attrs->size(), 1U);
  SHAPE_ASSIGN_CHECK(*out_attrs, 0, in_attrs->at(0));
  SHAPE_ASSIGN_CHECK(*in_attrs, 0, out_attrs->at(0));
  const mxnet::TShape& shape = in_attrs->at(0);
  if (!mxnet::ndim_is_known(shape)) return false;
  CHECK_EQ(shape.ndim(), 4) << "MXNetError: " << Pool::Name() << ": data must be 4-D (N, C, H, W); got " << shape.ndim()
                            << "-D " << shape;
  return mxnet::shape_is_known(shape);
}

template <typename Pool>
inline bool CornerPoolType(const nnvm::NodeAttrs& attrs, std::vector<int>* in_attrs, std::vector<int>* out_attrs) {
  CHECK_EQ(in_attrs->size(), 1U);
  CHECK_EQ(out_attrs->size(), 1U);
  TYPE_ASSIGN_CHECK(*out_attrs, 0, in_attrs->at(0));
  TYPE_ASSIGN_CHECK(*in_attrs, 0, out_attrs->at(0));
  const int dtype = in_attrs->at(0);
  if (dtype == -1) return false;
  CHECK(dtype == mshadow::kFloat16 || dtype == mshadow::kFloat32 || dtype == mshadow::kFloat64)
      << "MXNetError: " << Pool::Name() << ": data must be float16, float32 or float64; got " << type_string(dtype);
  return true;
}

/*! \brief the element type of the scan for one of mshadow's */
template <typename DType>
struct ScanType {
  typedef DType type;
};

template <>
struct ScanType<mshadow::half::half_t> {
  typedef corner_pool::Half type;
};

inline corner_pool::Shape CornerPoolPlanes(const TBlob& data) {
  return {static_cast<int64_t>(data.shape_[0]) * data.shape_[1], data.shape_[2], data.shape_[3]};
}

/*! \brief where the scan runs: on the threads that MXNet recommends, or on the stream of the operator */
template <typename T>
inline void CornerPoolScan(mshadow::Stream<cpu>*, const corner_pool::Job<T>& job) {
#if !defined(__CUDACC__)
  corner_pool::RunOnCpu(job, engine::OpenMP::Get()->GetRecommendedOMPThreadCount());
#endif
}

#if MXNET_USE_CUDA && defined(__CUDACC__)
template <typename T>
inline void CornerPoolScan(mshadow::Stream<gpu>* stream, const corner_pool::Job<T>& job) {
  CUDA_CALL(corner_pool::RunOnGpu(job, mshadow::Stream<gpu>::GetStream(stream)));
}
#endif

template <typename xpu, typename Pool>
void CornerPoolForward(const nnvm::NodeAttrs& attrs, const OpContext& ctx, const std::vector<TBlob>& inputs,
                       const std::vector<OpReqType>& req, const std::vector<TBlob>& outputs) {
  CHECK_EQ(inputs.size(), 1U);
  CHECK_EQ(outputs.size(), 1U);
  CHECK_EQ(req.size(), 1U);
  if (req[0] == kNullOp) return;
  const TBlob &x = inputs[0], &y = outputs[0];
  MSHADOW_REAL_TYPE_SWITCH(x.type_flag_, DType, {
    typedef typename ScanType<DType>::type T;
    CornerPoolScan(ctx.get_stream<xpu>(),
                   corner_pool::ForwardJob(Pool::Direction(), CornerPoolPlanes(x), static_cast<const T*>(x.dptr_),
                                           static_cast<T*>(y.dptr_), req[0] == kAddTo));
  });
}

/*! \brief inputs: the gradient of the output, and the input */
template <typename xpu, typename Pool>
void CornerPoolBackward(const nnvm::NodeAttrs& attrs, const OpContext& ctx, const std::vector<TBlob>& inputs,
                        const std::vector<OpReqType>& req, const std::vector<TBlob>& outputs) {
  CHECK_EQ(inputs.size(), 2U);
  CHECK_EQ(outputs.size(), 1U);
  CHECK_EQ(req.size(), 1U);
  if (req[0] == kNullOp) return;
  const TBlob &dy = inputs[0], &x = inputs[1], &dx = outputs[0];
  MSHADOW_REAL_TYPE_SWITCH(x.type_flag_, DType, {
    typedef typename ScanType<DType>::type T;
    CornerPoolScan(
        ctx.get_stream<xpu>(),
        corner_pool::BackwardJob(Pool::Direction(), CornerPoolPlanes(x), static_cast<const T*>(dy.dptr_),
                                 static_cast<const T*>(x.dptr_), static_cast<T*>(dx.dptr_), req[0] == kAddTo));
  });
}

}  // namespace op
}  // namespace mxnet

#endif  // MXNET_OPERATOR_CONTRIB_CORNER_POOL_INL_H_
