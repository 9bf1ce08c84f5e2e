/*
 * Copyright (c) 2026 The gluonzoo authors
 * Licensed under the Apache License, Version 2.0; see the file LICENSE.
 */
/*!
 * \file corner_pool_library.cc
 * \brief Corner pooling as operators that the stock MXNet wheel loads, through its own lib_api.h.
 */
#include "corner_pool_library.h"

#include <mxnet/lib_api.h>
#include <omp.h>

#include <ostream>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "request.h"

namespace gluonzoo {

using mxnet::ext::MXReturnValue;
using mxnet::ext::MXTensor;
using mxnet::ext::OpResource;
typedef std::unordered_map<std::string, std::string> Attributes;

const CornerPool& Operator(int index) {
  static const CornerPool operators[kCornerPools] = {
      {"top_pool", corner_pool::Top(), "Running maximum from the bottom row up: y[i] = max(x[i:]) over axis 2."},
      {"bottom_pool", corner_pool::Bottom(), "Running maximum from the top row down: y[i] = max(x[:i+1]) over axis 2."},
      {"left_pool", corner_pool::Left(),
       "Running maximum from the right column leftwards: y[j] = max(x[j:]) over axis 3."},
      {"right_pool", corner_pool::Right(),
       "Running maximum from the left column rightwards: y[j] = max(x[:j+1]) over axis 3."}};
  return operators[index];
}

bool& AreComplete() {
  static bool complete = false;
  return complete;
}

bool& AddToOutput() {
  static thread_local bool add = false;
  return add;
}

namespace {

// The exceptions of the functions below become MXNetError in Python.

template <int kOperator>
MXReturnValue ParseAttributes(const Attributes& attributes, int* inputs, int* outputs) {
  for (const auto& attribute : attributes) {
    if (attribute.first.compare(0, 2, "__") != 0) {  // MXNet's own, such as __ctx_group__, are everywhere
      throw std::invalid_argument(std::string(Operator(kOperator).name) + ": takes no argument " + attribute.first +
                                  "; got " + attribute.first + "=" + attribute.second);
    }
  }
  *inputs = 1;
  *outputs = 1;
  return mxnet::ext::MX_SUCCESS;
}

const char* TypeName(int dtype) {
  static const char* names[] = {"float32", "float64", "float16", "uint8", "int32", "int8", "int64", "bool"};
  return dtype >= 0 && dtype < 8 ? names[dtype] : "another type";
}

template <int kOperator>
MXReturnValue InferType(const Attributes&, std::vector<int>* inputs, std::vector<int>* outputs) {
  const int dtype = inputs->at(0);
  if (dtype > mxnet::ext::kFloat16) {
    throw std::invalid_argument(std::string(Operator(kOperator).name) +
                                ": data must be float16, float32 or float64; got " + TypeName(dtype));
  }
  outputs->at(0) = dtype;
  return mxnet::ext::MX_SUCCESS;
}

template <int kOperator>
MXReturnValue InferShape(const Attributes&, std::vector<std::vector<unsigned>>* inputs,
                         std::vector<std::vector<unsigned>>* outputs) {
  const std::vector<unsigned>& shape = inputs->at(0);
  if (shape.size() != 4) {
    std::string given;
    for (unsigned length : shape) given += (given.empty() ? "" : ", ") + std::to_string(length);
    throw std::invalid_argument(std::string(Operator(kOperator).name) + ": data must be 4-D (N, C, H, W); got " +
                                std::to_string(shape.size()) + "-D (" + given + ")");
  }
  outputs->at(0) = shape;
  return mxnet::ext::MX_SUCCESS;
}

corner_pool::Shape ShapeOf(const MXTensor& data) {
  return {data.shape[0] * data.shape[1], data.shape[2], data.shape[3]};
}

template <typename T>
void ForwardOnCpu(corner_pool::Direction direction, const MXTensor& x, const MXTensor& y) {
  corner_pool::RunOnCpu(corner_pool::ForwardJob(direction, ShapeOf(x), static_cast<const T*>(x.data_ptr),
                                                static_cast<T*>(y.data_ptr), AddToOutput()),
                        omp_get_max_threads());
}

template <typename T>
void BackwardOnCpu(corner_pool::Direction direction, const MXTensor& dy, const MXTensor& x, const MXTensor& dx) {
  corner_pool::RunOnCpu(
      corner_pool::BackwardJob(direction, ShapeOf(x), static_cast<const T*>(dy.data_ptr),
                               static_cast<const T*>(x.data_ptr), static_cast<T*>(dx.data_ptr), AddToOutput()),
      omp_get_max_threads());
}

template <int kOperator>
MXReturnValue ForwardCpu(const Attributes&, std::vector<MXTensor>* inputs, std::vector<MXTensor>* outputs,
                         const OpResource&) {
  const corner_pool::Direction direction = Operator(kOperator).direction;
  const MXTensor &x = inputs->at(0), &y = outputs->at(0);
  switch (x.dtype) {
    case mxnet::ext::kFloat32:
      ForwardOnCpu<float>(direction, x, y);
      break;
    case mxnet::ext::kFloat64:
      ForwardOnCpu<double>(direction, x, y);
      break;
    default:
      ForwardOnCpu<corner_pool::Half>(direction, x, y);
  }
  return mxnet::ext::MX_SUCCESS;
}

template <int kOperator>
MXReturnValue BackwardCpu(const Attributes&, std::vector<MXTensor>* inputs, std::vector<MXTensor>* outputs,
                          const OpResource&) {
  const corner_pool::Direction direction = Operator(kOperator).direction;
  const MXTensor &dy = inputs->at(0), &x = inputs->at(1), &dx = outputs->at(0);
  switch (x.dtype) {
    case mxnet::ext::kFloat32:
      BackwardOnCpu<float>(direction, dy, x, dx);
      break;
    case mxnet::ext::kFloat64:
      BackwardOnCpu<double>(direction, dy, x, dx);
      break;
    default:
      BackwardOnCpu<corner_pool::Half>(direction, dy, x, dx);
  }
  return mxnet::ext::MX_SUCCESS;
}

#if GLUONZOO_CUDA
template <int kOperator>
MXReturnValue ForwardGpu(const Attributes&, std::vector<MXTensor>* inputs, std::vector<MXTensor>* outputs,
                         const OpResource& resource) {
  const MXTensor &x = inputs->at(0), &y = outputs->at(0);
  ForwardOnGpu(Operator(kOperator).direction, ShapeOf(x), x.dtype, x.data_ptr, y.data_ptr, AddToOutput(),
               resource.get_cuda_stream());
  return mxnet::ext::MX_SUCCESS;
}

template <int kOperator>
MXReturnValue BackwardGpu(const Attributes&, std::vector<MXTensor>* inputs, std::vector<MXTensor>* outputs,
                          const OpResource& resource) {
  const MXTensor &dy = inputs->at(0), &x = inputs->at(1), &dx = outputs->at(0);
  BackwardOnGpu(Operator(kOperator).direction, ShapeOf(x), x.dtype, dy.data_ptr, x.data_ptr, dx.data_ptr, AddToOutput(),
                resource.get_cuda_stream());
  return mxnet::ext::MX_SUCCESS;
}
#define GLUONZOO_ON_GPU(k) .setForward(ForwardGpu<k>, "gpu").setBackward(BackwardGpu<k>, "gpu")
#else
#define GLUONZOO_ON_GPU(k)
#endif

}  // namespace

#define GLUONZOO_REGISTER(name, k)                           \
  REGISTER_OP(name)                                          \
      .setForward(ForwardCpu<k>, "cpu")                      \
      .setBackward(BackwardCpu<k>, "cpu") GLUONZOO_ON_GPU(k) \
      .setParseAttrs(ParseAttributes<k>)                     \
      .setInferType(InferType<k>)                            \
      .setInferShape(InferShape<k>)

GLUONZOO_REGISTER(_contrib_top_pool, kTop);
GLUONZOO_REGISTER(_contrib_bottom_pool, kBottom);
GLUONZOO_REGISTER(_contrib_left_pool, kLeft);
GLUONZOO_REGISTER(_contrib_right_pool, kRight);

}  // namespace gluonzoo

/*! \brief called by MXNet when it loads the library; its operators need nothing that 1.9.1 lacks */
mxnet::ext::MXReturnValue initialize(int version) {
  if (gluonzoo::AreComplete()) {  // MXNet would register them anew, incomplete
    MX_ERROR_MSG << "gluonzoo has loaded it when it was imported" << std::endl;
    return mxnet::ext::MX_FAIL;
  }
  return version >= 10900 ? mxnet::ext::MX_SUCCESS : mxnet::ext::MX_FAIL;
}
