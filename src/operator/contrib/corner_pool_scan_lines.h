/*
 * Copyright (c) 2026 The gluonzoo authors
 * Licensed under the Apache License, Version 2.0; see the file LICENSE.
 */
/*!
 * \file corner_pool_scan_lines.h
 * \brief N neighbouring lines side by side in the lanes of vectors, in the compiler's own vector arithmetic. A mask is
 *        a vector of -1 and 0. corner_pool_scan_cpu.h includes this file once for each instruction set that has such
 *        masks; corner_pool_scan_lines_avx512.h is its twin. It takes the macros of corner_pool_scan_vector.h, and
 *
 *        CORNER_POOL_WIDEN_HALVES(from, to), CORNER_POOL_NARROW_HALVES(from, to)  N halves to floats, and back
 */
namespace corner_pool {
namespace CORNER_POOL_SET {

template <typename T>
struct Lines {
  // A half has as many lanes as a float, so that its sums fill whole vectors.
  static const int N = CORNER_POOL_BYTES / sizeof(T) < 16 ? CORNER_POOL_BYTES / sizeof(T) : 16;

  typedef typename Element<T>::Sum SumLane;
  typedef typename Lane<T>::Value Value __attribute__((vector_size(N * sizeof(T))));
  typedef typename Integer<sizeof(T)>::type Mask __attribute__((vector_size(N * sizeof(T))));

  // Of halves the sums are twice as long as the elements. Two vectors: of one that is longer than those of the
  // instruction set, compilers compare and choose lane by lane.
  static const int kParts = sizeof(SumLane) / sizeof(T);
  typedef SumLane SumPart __attribute__((vector_size(N * sizeof(T))));
  typedef typename Integer<sizeof(SumLane)>::type SumMaskPart __attribute__((vector_size(N * sizeof(T))));
  struct Sum {
    SumPart part[kParts];
  };
  struct SumMask {
    SumMaskPart part[kParts];
  };

  static CORNER_POOL_INLINE Mask All() { return ~Mask{}; }

  // Its vectors are no whole cache lines: see corner_pool_scan_lines_avx512.h.
  static const bool kStreams = false;
  static CORNER_POOL_INLINE void Stream(T*, const Value&) {}
  static void EndStream() {}

  // An element as its sum, and back; a float and a double are what they are.
  static CORNER_POOL_INLINE Sum Widen(const Value& value) { return Widen(value, Kind()); }
  static CORNER_POOL_INLINE Value Narrow(const Sum& sum) { return Narrow(sum, Kind()); }
  static CORNER_POOL_INLINE Sum Add(const Sum& a, const Sum& b) {
    Sum sum;
    for (int i = 0; i < kParts; ++i) sum.part[i] = a.part[i] + b.part[i];
    return sum;
  }

  // The maximum met so far on each line. Meet gives the mask of the lines on which it changes. MeetNumber does the same
  // where OnlyNumbers has said of the vectors to come that neither they nor the maximum hold a NaN.

  struct PlainMaximum {
    Value value;
    Mask nan;  // kept beside the value, so that the next comparison need not wait for this one
    CORNER_POOL_INLINE void Start(const Value& first) {
      value = first;
      nan = (Mask)(first != first);
    }
    CORNER_POOL_INLINE Mask Meet(const Value& later) {
      const Mask greater = (Mask)(later > value), is_nan = (Mask)(later != later);
      const Mask first_nan = is_nan & ~nan;
      nan |= is_nan;
      value = later > value ? later : value;
      value = first_nan ? later : value;
      return greater | first_nan;
    }
    CORNER_POOL_INLINE Mask MeetNumber(const Value& later) {
      const Mask greater = (Mask)(later > value);
      value = later > value ? later : value;
      return greater;
    }
    CORNER_POOL_INLINE bool OnlyNumbers(const Value (&laters)[N]) const {
      Mask found = nan;
#pragma GCC unroll 16
      for (int i = 0; i < N; ++i) found |= (Mask)(laters[i] != laters[i]);
      uint64_t words[sizeof(found) / sizeof(uint64_t)], any = 0;
      memcpy(words, &found, sizeof(found));
      for (uint64_t word : words) any |= word;
      return any == 0;
    }
  };

  struct HalfMaximum {
    Value value, order;
    CORNER_POOL_INLINE void Start(const Value& first) {
      value = first;
      order = CORNER_POOL_HALF_ORDER(first);
    }
    CORNER_POOL_INLINE Mask Meet(const Value& later) {
      const Value later_order = CORNER_POOL_HALF_ORDER(later);
      const Mask change = (Mask)(later_order > order);
      value = change ? later : value;
      order = change ? later_order : order;
      return change;
    }
    // The order knows where a NaN stands; there is nothing to gain.
    CORNER_POOL_INLINE Mask MeetNumber(const Value& later) { return Meet(later); }
    CORNER_POOL_INLINE bool OnlyNumbers(const Value (&)[N]) const { return true; }
  };

  typedef typename std::conditional<sizeof(T) == 2, HalfMaximum, PlainMaximum>::type Maximum;

  /*!
   * \brief the changes along the scan, one bit an element, for a scan back: the last one pushed is popped first
   *
   * They come in blocks of kBlock steps; the last block may be shorter.
   */
  struct Changes {
    typedef typename std::make_unsigned<typename Integer<sizeof(T)>::type>::type Bits
        __attribute__((vector_size(N * sizeof(T))));
    static const int kBlock = 8 * sizeof(T);
    static size_t Bytes(int64_t steps) { return (steps + kBlock - 1) / kBlock * sizeof(Mask); }

    char* at;
    Bits bits;
    CORNER_POOL_INLINE void Start(char* flags) {
      at = flags;
      bits = Bits{};
    }
    CORNER_POOL_INLINE void Push(const Mask& change) { bits = bits + bits - (Bits)change; }  // a set mask is -1
    CORNER_POOL_INLINE void EndBlock() {
      memcpy(at, &bits, sizeof(bits));
      at += sizeof(bits);
      bits = Bits{};
    }
    CORNER_POOL_INLINE void BackToBlock() {
      at -= sizeof(bits);
      memcpy(&bits, at, sizeof(bits));
    }
    CORNER_POOL_INLINE Mask Pop() {
      const Mask change = (Mask)(-(bits & 1));
      bits >>= 1;
      return change;
    }
  };

  /*! \brief against the scan: adds up gradients since the last change, and hands the sum to the winner */
  struct Gradient {
    Sum sum;
    CORNER_POOL_INLINE void Start() { sum = Sum{}; }
    CORNER_POOL_INLINE Sum Share(const Value& dy, const Mask& change) {
      const SumMask winner = WidenMask(change, Kind());
      Sum share;
      sum = Add(sum, Widen(dy));
      for (int i = 0; i < kParts; ++i) {
        share.part[i] = winner.part[i] ? sum.part[i] : SumPart{};
        sum.part[i] = winner.part[i] ? SumPart{} : sum.part[i];
      }
      return share;
    }
  };

 private:
  struct Plain {};
  struct Halves {};
  typedef typename std::conditional<sizeof(T) == 2, Halves, Plain>::type Kind;

  static CORNER_POOL_INLINE Sum Widen(const Value& value, Plain) { return {{(SumPart)value}}; }
  static CORNER_POOL_INLINE Value Narrow(const Sum& sum, Plain) { return (Value)sum.part[0]; }
  static CORNER_POOL_INLINE SumMask WidenMask(const Mask& mask, Plain) { return {{(SumMaskPart)mask}}; }

  static CORNER_POOL_INLINE Sum Widen(const Value& value, Halves) {
    T narrow[N];
    SumLane wide[N];
    Sum sum;
    memcpy(narrow, &value, sizeof(value));
    CORNER_POOL_WIDEN_HALVES(narrow, wide)
    memcpy(&sum, wide, sizeof(sum));
    return sum;
  }
  static CORNER_POOL_INLINE Value Narrow(const Sum& sum, Halves) {
    T narrow[N];
    SumLane wide[N];
    Value value;
    memcpy(wide, &sum, sizeof(sum));
    CORNER_POOL_NARROW_HALVES(wide, narrow)
    memcpy(&value, narrow, sizeof(value));
    return value;
  }
  // A loop for the compiler to vectorize; unrolled it would become N scalar conversions.
  static CORNER_POOL_INLINE SumMask WidenMask(const Mask& mask, Halves) {
    typename Integer<sizeof(T)>::type narrow[N];
    typename Integer<sizeof(SumLane)>::type wide[N];
    SumMask result;
    memcpy(narrow, &mask, sizeof(mask));
#pragma GCC unroll 1
    for (int i = 0; i < N; ++i) wide[i] = narrow[i];
    memcpy(&result, wide, sizeof(result));
    return result;
  }
};

}  // namespace CORNER_POOL_SET
}  // namespace corner_pool
