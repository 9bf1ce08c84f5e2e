/*
 * Copyright (c) 2026 The gluonzoo authors
 * Licensed under the Apache License, Version 2.0; see the file LICENSE.
 */
/*!
 * \file corner_pool_scan_lines_avx512.h
 * \brief The twin of corner_pool_scan_lines.h for AVX-512, where a mask is a register of its own with one bit a lane.
 *        Compilers keep such masks as vectors, at several times the cost, if they are not told.
 */
namespace corner_pool {
namespace avx512 {

// The instructions of one type of lane.

template <typename T>
struct Lanes;

template <>
struct Lanes<float> {
  typedef __mmask16 Mask;
  static CORNER_POOL_INLINE Mask Greater(__m512 a, __m512 b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
  static CORNER_POOL_INLINE Mask Numbers(Mask among, __m512 a, __m512 b) {
    return _mm512_mask_cmp_ps_mask(among, a, b, _CMP_ORD_Q);
  }
  static CORNER_POOL_INLINE Mask GreaterOrNan(Mask among, __m512 a, __m512 b) {
    return _mm512_mask_cmp_ps_mask(among, a, b, _CMP_NLE_UQ);
  }
  static CORNER_POOL_INLINE __m512 Larger(__m512 a, __m512 b) { return _mm512_max_ps(a, b); }
  static CORNER_POOL_INLINE __m512 Choose(Mask mask, __m512 a, __m512 b) { return _mm512_mask_mov_ps(b, mask, a); }
};

template <>
struct Lanes<double> {
  typedef __mmask8 Mask;
  static CORNER_POOL_INLINE Mask Greater(__m512d a, __m512d b) { return _mm512_cmp_pd_mask(a, b, _CMP_GT_OQ); }
  static CORNER_POOL_INLINE Mask Numbers(Mask among, __m512d a, __m512d b) {
    return _mm512_mask_cmp_pd_mask(among, a, b, _CMP_ORD_Q);
  }
  static CORNER_POOL_INLINE Mask GreaterOrNan(Mask among, __m512d a, __m512d b) {
    return _mm512_mask_cmp_pd_mask(among, a, b, _CMP_NLE_UQ);
  }
  static CORNER_POOL_INLINE __m512d Larger(__m512d a, __m512d b) { return _mm512_max_pd(a, b); }
  static CORNER_POOL_INLINE __m512d Choose(Mask mask, __m512d a, __m512d b) { return _mm512_mask_mov_pd(b, mask, a); }
};

template <typename T>
struct Lines {
  static const int N = sizeof(T) == 8 ? 8 : 16;

  typedef typename Element<T>::Sum SumLane;
  typedef typename Lane<T>::Value Value __attribute__((vector_size(N * sizeof(T))));
  typedef SumLane Sum __attribute__((vector_size(64)));
  typedef Lanes<SumLane> Instructions;
  typedef typename Instructions::Mask Mask;

  static CORNER_POOL_INLINE Mask All() { return static_cast<Mask>(-1); }

  // A vector of floats or doubles is a whole cache line, which can be written without being read first.
  static const bool kStreams = sizeof(T) > 2;
  static CORNER_POOL_INLINE void Stream(T* to, const Value& value) { Stream(to, value, Kind()); }
  static void EndStream() { _mm_sfence(); }  // before another thread reads it

  static CORNER_POOL_INLINE Sum Widen(const Value& value) { return Widen(value, Kind()); }
  static CORNER_POOL_INLINE Value Narrow(const Sum& sum) { return Narrow(sum, Kind()); }
  static CORNER_POOL_INLINE Sum Add(const Sum& a, const Sum& b) { return a + b; }

  struct PlainMaximum {
    Value value;
    Mask numbers;  // the lines that have met no NaN
    CORNER_POOL_INLINE void Start(const Value& first) {
      value = first;
      numbers = Instructions::Numbers(All(), first, first);
    }
    CORNER_POOL_INLINE Mask Meet(const Value& later) {
      const Mask change = Instructions::GreaterOrNan(numbers, later, value);
      numbers = Instructions::Numbers(numbers, later, later);
      value = Instructions::Choose(change, later, value);
      return change;
    }
    CORNER_POOL_INLINE Mask MeetNumber(const Value& later) {
      const Mask change = Instructions::Greater(later, value);
      value = Instructions::Larger(later, value);
      return change;
    }
    CORNER_POOL_INLINE bool OnlyNumbers(const Value (&laters)[N]) const {
      Mask found = numbers;
#pragma GCC unroll 8
      for (int i = 0; i < N; i += 2) found = Instructions::Numbers(found, laters[i], laters[i + 1]);
      return found == All();
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
      const Mask change = _mm256_cmpgt_epi16_mask((__m256i)later_order, (__m256i)order);
      value = (Value)_mm256_mask_mov_epi16((__m256i)value, change, (__m256i)later);
      order = (Value)_mm256_max_epi16((__m256i)later_order, (__m256i)order);
      return change;
    }
    CORNER_POOL_INLINE Mask MeetNumber(const Value& later) { return Meet(later); }
    CORNER_POOL_INLINE bool OnlyNumbers(const Value (&)[N]) const { return true; }
  };

  typedef typename std::conditional<sizeof(T) == 2, HalfMaximum, PlainMaximum>::type Maximum;

  struct Changes {
    static const int kBlock = 64;
    static size_t Bytes(int64_t steps) { return steps * sizeof(Mask); }

    char* at;
    CORNER_POOL_INLINE void Start(char* flags) { at = flags; }
    CORNER_POOL_INLINE void Push(Mask change) {
      memcpy(at, &change, sizeof(change));
      at += sizeof(change);
    }
    CORNER_POOL_INLINE void EndBlock() {}
    CORNER_POOL_INLINE void BackToBlock() {}
    CORNER_POOL_INLINE Mask Pop() {
      Mask change;
      at -= sizeof(change);
      memcpy(&change, at, sizeof(change));
      return change;
    }
  };

  struct Gradient {
    Sum sum;
    CORNER_POOL_INLINE void Start() { sum = Sum{}; }
    CORNER_POOL_INLINE Sum Share(const Value& dy, Mask change) {
      sum = Add(sum, Widen(dy));
      const Sum share = Instructions::Choose(change, sum, Sum{});
      sum = Instructions::Choose(change, Sum{}, sum);
      return share;
    }
  };

 private:
  struct Plain {};
  struct Halves {};
  typedef typename std::conditional<sizeof(T) == 2, Halves, Plain>::type Kind;

  static CORNER_POOL_INLINE void Stream(T* to, const Value& value, Plain) {
    _mm512_stream_si512(reinterpret_cast<__m512i*>(to), (__m512i)value);
  }
  static CORNER_POOL_INLINE void Stream(T*, const Value&, Halves) {}
  static CORNER_POOL_INLINE Sum Widen(const Value& value, Plain) { return (Sum)value; }
  static CORNER_POOL_INLINE Value Narrow(const Sum& sum, Plain) { return (Value)sum; }
  static CORNER_POOL_INLINE Sum Widen(const Value& value, Halves) { return (Sum)_mm512_cvtph_ps((__m256i)value); }
  static CORNER_POOL_INLINE Value Narrow(const Sum& sum, Halves) { return (Value)_mm512_cvtps_ph((__m512)sum, 0); }
};

}  // namespace avx512
}  // namespace corner_pool
