/*
 * Copyright (c) 2026 The gluonzoo authors
 * Licensed under the Apache License, Version 2.0; see the file LICENSE.
 */
/*!
 * \file corner_pool_scan.h
 * \brief Corner pooling: the mathematics, once, for every direction, type, device and route of gluonzoo.
 *
 * A corner pool replaces every element of a line by the maximum met so far along a scan of that line. Which lines,
 * and from which end: that is data (Direction). An NCHW array is seen as (planes, height, width), planes = N * C.
 *
 * Who wins: a later element replaces the maximum only if it is strictly greater, so the first one met keeps its place
 * in a tie; +0 and -0 are equal; a NaN is greater than every number and not than another NaN.
 *
 * Gradient: the elements between two changes of the maximum share one winner, the element at the first of the two
 * changes. It receives the sum of their gradients, the others receive zero. So the gradient needs the input, to find
 * the changes, and the output gradient. A CPU adds each sum from the end of the scan to its start, a GPU from start to
 * end; each always in the same order, so results repeat bit for bit.
 *
 * There is no MXNet type in this file. MXNet's operator, the library for the stock wheel and the C interface of the GPU
 * test all include it; corner_pool_scan_cpu.h and corner_pool_scan_gpu.cuh hold the loops of the two kinds of device.
 */
#ifndef MXNET_OPERATOR_CONTRIB_CORNER_POOL_SCAN_H_
#define MXNET_OPERATOR_CONTRIB_CORNER_POOL_SCAN_H_

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__CUDACC__)
#define CORNER_POOL_SCALAR __host__ __device__ __forceinline__
#else
#define CORNER_POOL_SCALAR inline
#endif

// The bits of a half, sign extended -> integers in the order of the rule: -0 is +0, NaN is above all. A macro, so that
// each instruction set compiles it for its own vectors.
#define CORNER_POOL_HALF_ORDER(bits)                                                          \
  ((((((bits)&0x7fff) ^ ((bits) >> 15)) - ((bits) >> 15)) & ~CORNER_POOL_HALF_IS_NAN(bits)) | \
   (CORNER_POOL_HALF_IS_NAN(bits) & 0x7fff))
#define CORNER_POOL_HALF_IS_NAN(bits) ((0x7c00 - ((bits)&0x7fff)) >> 15)  // -1 or 0

namespace corner_pool {

/*! \brief which lines are scanned, and from which end */
struct Direction {
  bool along_width;  // rows (left, right) or columns (top, bottom)
  bool from_end;     // from the last element of a line to its first
};

inline Direction Top() { return {false, true}; }
inline Direction Bottom() { return {false, false}; }
inline Direction Left() { return {true, true}; }
inline Direction Right() { return {true, false}; }

/*! \brief a dense (planes, height, width) array; planes = N * C */
struct Shape {
  int64_t planes, height, width;
  int64_t Size() const { return planes * height * width; }
};

/*! \brief IEEE binary16 as it lies in memory */
struct Half {
  uint16_t bits;
};

// -- half <-> float: exact, and rounded to nearest even; the same bits on every device --

CORNER_POOL_SCALAR uint32_t BitsOf(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

CORNER_POOL_SCALAR float FloatOf(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

CORNER_POOL_SCALAR float ToFloat(Half half) {
  const uint32_t magnitude = half.bits & 0x7fffu;
  const uint32_t sign = (half.bits & 0x8000u) << 16;
  // A subnormal half is its mantissa times 2^-24, which a float holds exactly.
  const uint32_t subnormal = BitsOf(static_cast<float>(static_cast<int>(magnitude)) * 5.9604644775390625e-8f);
  const uint32_t normal = (magnitude << 13) + (112u << 23);   // exponent bias 15 -> 127
  const uint32_t special = (magnitude << 13) | (255u << 23);  // infinity and NaN
  return FloatOf(sign | (magnitude < 0x0400u ? subnormal : magnitude < 0x7c00u ? normal : special));
}

CORNER_POOL_SCALAR Half ToHalf(float value) {
  const uint32_t bits = BitsOf(value);
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  // Below 2^-14 the half is subnormal: adding 0.5 leaves a rounded multiple of 2^-24 in the low bits.
  const uint32_t subnormal = BitsOf(FloatOf(magnitude) + 0.5f) - BitsOf(0.5f);
  const uint32_t normal = (magnitude - (112u << 23) + 0x0fffu + ((magnitude >> 13) & 1u)) >> 13;
  const uint32_t special =
      magnitude > (255u << 23) ? 0x7e00u | ((bits >> 13) & 0x3ffu) : 0x7c00u;  // NaN, else infinity
  const uint32_t half = magnitude < (113u << 23) ? subnormal : magnitude < (143u << 23) ? normal : special;
  return {static_cast<uint16_t>(sign | half)};
}

// -- elements --

/*! \brief how elements of type T (float, double) compare, are summed, and are rounded from a sum */
template <typename T>
struct Element {
  typedef T Sum;
  static CORNER_POOL_SCALAR bool LaterWins(T first, T later) {
    return later > first || (later != later && first == first);
  }
  static CORNER_POOL_SCALAR Sum Widen(T value) { return value; }
  static CORNER_POOL_SCALAR T Narrow(Sum sum) { return sum; }
};

template <>
struct Element<Half> {
  typedef float Sum;
  static CORNER_POOL_SCALAR bool LaterWins(Half first, Half later) {
    const int a = static_cast<int16_t>(first.bits), b = static_cast<int16_t>(later.bits);
    return CORNER_POOL_HALF_ORDER(b) > CORNER_POOL_HALF_ORDER(a);
  }
  static CORNER_POOL_SCALAR Sum Widen(Half value) { return ToFloat(value); }
  static CORNER_POOL_SCALAR Half Narrow(Sum sum) { return ToHalf(sum); }
};

// -- jobs --

/*! \brief one call: y from x, or dx from dy and x */
template <typename T>
struct Job {
  Direction direction;
  Shape shape;
  const T* x;
  T* y;             // null in a backward job
  const T* dy;      // null in a forward job
  T* dx;            // null in a forward job
  bool accumulate;  // add to the output instead of overwriting it

  bool IsBackward() const { return dx != nullptr; }
  int64_t Length() const { return direction.along_width ? shape.width : shape.height; }
  int64_t Bytes() const { return shape.Size() * sizeof(T) * (IsBackward() ? 3 : 2); }  // of all its arrays
};

/*!
 * \brief y = the running maximum of x along the scan
 * \param x, y dense arrays of `shape`; y may be x unless it accumulates
 */
template <typename T>
Job<T> ForwardJob(Direction direction, Shape shape, const T* x, T* y, bool accumulate) {
  return {direction, shape, x, y, nullptr, nullptr, accumulate};
}

/*!
 * \brief dx = the gradient of that maximum with respect to x, given the gradient dy of y
 * \param dy, x, dx dense arrays of `shape`; dx may be dy unless it accumulates
 */
template <typename T>
Job<T> BackwardJob(Direction direction, Shape shape, const T* dy, const T* x, T* dx, bool accumulate) {
  return {direction, shape, x, nullptr, dy, dx, accumulate};
}

}  // namespace corner_pool

#if defined(__CUDACC__)
#include "./corner_pool_scan_gpu.cuh"
#else
#include "./corner_pool_scan_cpu.h"
#endif

#endif  // MXNET_OPERATOR_CONTRIB_CORNER_POOL_SCAN_H_
