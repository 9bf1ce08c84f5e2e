/*
 * Copyright (c) 2026 The gluonzoo authors
 * Licensed under the Apache License, Version 2.0; see the file LICENSE.
 */
/*!
 * \file complete.cc
 * \brief Completes the operators after MXNet has loaded them, with what lib_api.h cannot say.
 *
 * An operator that is only loaded through lib_api overwrites its output where MXNet asks to add (grad_req='add', or
 * eight gradients of one tensor in a static graph), so gradients are wrong; takes the unknown lengths of a partial
 * shape inference for numbers; lets its output be kept for a gradient that does not read it; and has no documentation.
 * MXNet's own operators say this in the registry of nnvm, whose headers the wheel ships, and so does this file.
 *
 * The wheel was compiled by an old GCC, so only what has one form in old and new ones may cross the border: vectors,
 * pairs, strings of the old ABI, and std::function with reference arguments. Not a std::function with a pointer
 * argument: an old GCC hands the pointer itself to the function inside, a new one a reference to it. (A reference
 * argument is an address in both. So where the old one hands over a pointer, a function that takes a reference gets
 * what it expects.) And nothing with a hash map in it, as a graph node, an NDArray or an OpContext: those are passed on
 * unread. An attribute is changed where lib_api has made it: making one calls back through a pointer.
 */
#define MSHADOW_STAND_ALONE 1  // MXNet's headers then ask for no BLAS and no CUDA
#include <mxnet/op_attr_types.h>
#include <nnvm/op.h>

#include <functional>
#include <string>
#include <vector>

#include "corner_pool_library.h"
#include "request.h"

// The function inside the FGradient of an operator whose gradient reads the input. The wheel ships no header of it;
// here it is only asked for by its type.
namespace mxnet {
namespace op {
struct ElemwiseGradUseIn {
  const char* op_name;
};
}  // namespace op
}  // namespace mxnet

namespace gluonzoo {

// Two private functions of nnvm::Op, by the names that they have in libmxnet.so.
const dmlc::any* AttributeMap(const std::string& key) __asm__("_ZN4nnvm2Op10GetAttrMapERKSs");
void UpdateAttributeMap(const std::string& key, std::function<void(dmlc::any&)> update) __asm__(
    "_ZN4nnvm2Op13UpdateAttrMapERKSsSt8functionIFvPN4dmlc3anyEEE");

namespace {

using nnvm::NodeAttrs;
using nnvm::Op;

/*! \brief the value that `op` has of this attribute, to be changed; null if it has none */
template <typename F>
F* AttributeOf(const Op& op, const std::string& attribute) {
  const nnvm::OpMap<F>& all = Op::GetAttr<F>(attribute);
  return all.count(&op) ? const_cast<F*>(&all[&op]) : nullptr;
}

mxnet::FComputeEx HonourRequest(const mxnet::FComputeEx& compute) {
  return [compute](const NodeAttrs& attrs, const mxnet::OpContext& ctx, const std::vector<mxnet::NDArray>& inputs,
                   const std::vector<mxnet::OpReqType>& req, const std::vector<mxnet::NDArray>& outputs) {
    struct Scope {
      explicit Scope(bool add) { AddToOutput() = add; }
      ~Scope() { AddToOutput() = false; }
    };
    if (req[0] == mxnet::kNullOp) return;
    const Scope scope(req[0] == mxnet::kAddTo);
    compute(attrs, ctx, inputs, req, outputs);
  };
}

/*! \brief whether libmxnet.so hands a pointer itself to a std::function: it is asked to hand over a known one */
bool PointersArriveAsReferences() {
  const void* given = nullptr;
  UpdateAttributeMap("FInferShape", [&given](dmlc::any& map) { given = &map; });
  return given == AttributeMap("FInferShape");
}

// mxnet::FInferShape, with references in the place of its pointers.
typedef std::function<bool(const NodeAttrs&, mxnet::ShapeVector&, mxnet::ShapeVector&)> InferShape;

InferShape OnlyWhenKnown(const InferShape& infer) {
  return [infer](const NodeAttrs& attrs, mxnet::ShapeVector& inputs, mxnet::ShapeVector& outputs) {
    if (!mxnet::shape_is_known(inputs[0]) && mxnet::shape_is_known(outputs[0])) inputs[0] = outputs[0];
    return mxnet::shape_is_known(inputs[0]) && infer(attrs, inputs, outputs);
  };
}

/*!
 * \brief has the gradient's node take the output gradient and the input, like that of abs, where lib_api takes the
 * output too, which MXNet then keeps
 */
void KeepNoOutput(Op* forward, Op* backward) {
  nnvm::FGradient* gradient = AttributeOf<nnvm::FGradient>(*forward, "FGradient");
  const nnvm::FGradient* of_abs = AttributeOf<nnvm::FGradient>(*Op::Get("abs"), "FGradient");
  if (gradient == nullptr || of_abs == nullptr) return;
  nnvm::FGradient copy = *of_abs;
  mxnet::op::ElemwiseGradUseIn* use_input = copy.target<mxnet::op::ElemwiseGradUseIn>();
  if (use_input == nullptr) return;
  use_input->op_name = backward->name.c_str();
  *gradient = copy;
  backward->get_num_inputs = nullptr;
  backward->set_num_inputs(2);
}

void Complete(const CornerPool& pool) {
  const std::string name = std::string("_contrib_") + pool.name;
  Op& forward = dmlc::Registry<Op>::Get()->__REGISTER_OR_GET__(name);
  Op& backward = dmlc::Registry<Op>::Get()->__REGISTER_OR_GET__("_backward_" + name);

  for (const Op* op : {&forward, &backward}) {
    for (const char* attribute : {"FComputeEx<cpu>", "FComputeEx<gpu>"}) {
      mxnet::FComputeEx* compute = AttributeOf<mxnet::FComputeEx>(*op, attribute);
      if (compute != nullptr) *compute = HonourRequest(*compute);
    }
  }

  KeepNoOutput(&forward, &backward);

  if (PointersArriveAsReferences()) {
    InferShape* infer = reinterpret_cast<InferShape*>(AttributeOf<mxnet::FInferShape>(forward, "FInferShape"));
    *infer = OnlyWhenKnown(*infer);
  }

  forward.describe(std::string(pool.description) +
                   "\n\nThe first maximum met along the scan keeps the gradient; a NaN counts as the greatest number.\n"
                   "See gluonzoo.ops.corner_pool.");
  forward.arguments.clear();  // lib_api lists any number of inputs
  forward.add_argument("data", "NDArray-or-Symbol", "(N, C, H, W), float16, float32 or float64");
}

}  // namespace
}  // namespace gluonzoo

/*! \brief to be called once, after MXLoadLib; 0, or -1 with the reason in *error, which lives as long as the library */
extern "C" __attribute__((visibility("default"))) int gluonzoo_complete_operators(const char** error) {
  static std::string message;
  try {
    for (int i = 0; i < gluonzoo::kCornerPools; ++i) gluonzoo::Complete(gluonzoo::Operator(i));
    gluonzoo::AreComplete() = true;
    return 0;
  } catch (const std::exception& exception) {
    message = exception.what();
    *error = message.c_str();
    return -1;
  }
}
