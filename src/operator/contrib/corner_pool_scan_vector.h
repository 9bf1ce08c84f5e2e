/*
 * Copyright (c) 2026 The gluonzoo authors
 * Licensed under the Apache License, Version 2.0; see the file LICENSE.
 */
/*!
 * \file corner_pool_scan_vector.h
 * \brief The loops of a corner pool on a CPU, for one instruction set. corner_pool_scan_cpu.h includes this file once
 *        for each, so it has no include guard and takes its parameters as macros:
 *
 *        CORNER_POOL_SET     the namespace of this instruction set
 *        CORNER_POOL_BYTES   the size of its vectors
 *        CORNER_POOL_TARGET  the function attribute that enables it
 *        CORNER_POOL_MAX(a, b)  a where it is greater, else b
 *        CORNER_POOL_WIDEN_HALVES(from, to), CORNER_POOL_NARROW_HALVES(from, to)  N halves to floats, and back
 *
 * A vector holds one element of each of N neighbouring lines, so the scan itself is plain vector arithmetic. Columns
 * lie that way in memory; rows are brought there by transposing N x N tiles in registers. The gradient scans twice:
 * along the scan to find where the maximum changes, and back to add up. In between it remembers one bit an element.
 */
#define CORNER_POOL_INLINE inline __attribute__((always_inline)) CORNER_POOL_TARGET
#define CORNER_POOL_LOOP __attribute__((noinline)) CORNER_POOL_TARGET

// A whole tile is unrolled, so that its vectors are registers; a partial one is a plain loop.
#define CORNER_POOL_EACH_STEP(whole, steps, ...)                         \
  if (whole) {                                                           \
    _Pragma("GCC unroll 16") for (int i = 0; i < N; ++i) { __VA_ARGS__ } \
  } else {                                                               \
    for (int i = 0; i < steps; ++i) {                                    \
      __VA_ARGS__                                                        \
    }                                                                    \
  }

namespace corner_pool {
namespace CORNER_POOL_SET {

/*! \brief N neighbouring lines side by side in the lanes of vectors, and what a scan does with them */
template <typename T>
struct Lines {
  // A half has as many lanes as a float, so that its sums fill whole vectors.
  static const int N = CORNER_POOL_BYTES / sizeof(T) < 16 ? CORNER_POOL_BYTES / sizeof(T) : 16;
  static const int kMaskBits = 8 * sizeof(T);  // the steps that one Mask can remember

  typedef typename Element<T>::Sum SumLane;
  typedef typename Lane<T>::Value Value __attribute__((vector_size(N * sizeof(T))));
  typedef typename Integer<sizeof(T)>::type Mask __attribute__((vector_size(N * sizeof(T))));
  typedef SumLane Sum __attribute__((vector_size(N * sizeof(SumLane))));
  typedef typename Integer<sizeof(SumLane)>::type SumMask __attribute__((vector_size(N * sizeof(SumLane))));

  // The first `count` lanes. Where count is the constant N, this is one instruction.
  static CORNER_POOL_INLINE Value Load(const T* from, int count) {
    Value value = {};
    memcpy(&value, from, count * sizeof(T));
    return value;
  }
  static CORNER_POOL_INLINE void Store(T* to, const Value& value, int count) { memcpy(to, &value, count * sizeof(T)); }

  // An element as its sum, and back; a float and a double are what they are.
  static CORNER_POOL_INLINE Sum Widen(const Value& value) { return Widen(value, Kind()); }
  static CORNER_POOL_INLINE Value Narrow(const Sum& sum) { return Narrow(sum, Kind()); }
  static CORNER_POOL_INLINE Value Add(const Value& a, const Value& b) { return Narrow(Widen(a) + Widen(b)); }
  static CORNER_POOL_INLINE SumMask WidenMask(const Mask& mask) { return WidenMask(mask, Kind()); }

  /*! \brief rows become columns, in place */
  static CORNER_POOL_INLINE void Transpose(Value (&tile)[N]) {
    // First within lanes of 16 bytes, all that an unpack instruction knows, then whole lanes.
    Exchange<kInLane / 2>(tile);
    Exchange<kInLane / 4>(tile);
    Exchange<kInLane / 8>(tile);
    if (kLanes >= 2) Exchange<kInLane>(tile);
    if (kLanes >= 4) Exchange<kInLane * 2>(tile);
  }

  // The maximum met so far on each line. Meet gives the mask of the lines on which it changes.

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
      value = CORNER_POOL_MAX(later, value);
      value = first_nan ? later : value;
      return greater | first_nan;
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
  };

  typedef typename Choose<sizeof(T) == 2, HalfMaximum, PlainMaximum>::type Maximum;

  /*! \brief the changes of up to kMaskBits steps, one bit each; the last one pushed is popped first */
  struct Changes {
    Mask bits;
    CORNER_POOL_INLINE void Clear() { bits = Mask{}; }
    CORNER_POOL_INLINE void Push(const Mask& change) { bits = bits + bits - change; }  // a set mask is -1
    CORNER_POOL_INLINE Mask Pop() {
      const Mask change = -(bits & 1);
      bits >>= 1;
      return change;
    }
    CORNER_POOL_INLINE void Save(char* flags, int64_t index) const {
      memcpy(flags + index * sizeof(bits), &bits, sizeof(bits));
    }
    CORNER_POOL_INLINE void Restore(const char* flags, int64_t index) {
      memcpy(&bits, flags + index * sizeof(bits), sizeof(bits));
    }
  };

  /*! \brief against the scan: adds up gradients since the last change, and hands the sum to the winner */
  struct Gradient {
    Sum sum;
    CORNER_POOL_INLINE void Clear() { sum = Sum{}; }
    CORNER_POOL_INLINE Sum Share(const Value& dy, const Mask& change) {
      const SumMask winner = WidenMask(change);
      sum += Widen(dy);
      const Sum share = winner ? sum : Sum{};
      sum = winner ? Sum{} : sum;
      return share;
    }
  };

 private:
  struct Plain {};
  struct Halves {};
  typedef typename Choose<sizeof(T) == 2, Halves, Plain>::type Kind;

  static CORNER_POOL_INLINE Sum Widen(const Value& value, Plain) { return (Sum)value; }
  static CORNER_POOL_INLINE Value Narrow(const Sum& sum, Plain) { return (Value)sum; }
  static CORNER_POOL_INLINE SumMask WidenMask(const Mask& mask, Plain) { return (SumMask)mask; }

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

  static const int kInLane = 16 / sizeof(T);
  static const int kLanes = N / kInLane;
  typedef typename CountTo<N>::type Indices;

  // One round: the pairs of vectors whose numbers differ in this bit only.
  template <int kBit>
  static CORNER_POOL_INLINE void Exchange(Value (&tile)[N]) {
    if (kBit == 0) return;
#pragma GCC unroll 8
    for (int pair = 0; pair < N / 2; ++pair) {
      const int i = pair / (kBit | !kBit) * 2 * kBit + pair % (kBit | !kBit), j = i + kBit;
      const Value a = tile[i], b = tile[j];
      tile[i] = kBit < kInLane ? InterleaveInLanes<0>(a, b, Indices()) : EverySecondLane<0>(a, b, Indices());
      tile[j] = kBit < kInLane ? InterleaveInLanes<1>(a, b, Indices()) : EverySecondLane<1>(a, b, Indices());
    }
  }

  // In every 16 bytes: a0 b0 a1 b1 ... of their lower (upper) halves.
  template <int kUpper, int... I>
  static CORNER_POOL_INLINE Value InterleaveInLanes(const Value& a, const Value& b, Sequence<I...>) {
    return CORNER_POOL_SHUFFLE(a, b, Mask,
                               (I / kInLane * kInLane + I % kInLane / 2 + kUpper * (kInLane / 2) + I % 2 * N)...);
  }
  // The even (odd) ones of the 16-byte lanes of a, then of b.
  template <int kOdd, int... I>
  static CORNER_POOL_INLINE Value EverySecondLane(const Value& a, const Value& b, Sequence<I...>) {
    return CORNER_POOL_SHUFFLE(
        a, b, Mask,
        ((I / kInLane * 2 % kLanes + kOdd) * kInLane + I % kInLane + (I / kInLane * 2 < kLanes ? 0 : N))...);
  }
};

/*! \brief does a job strip by strip: neighbouring lines that are independent of all others */
template <typename T>
struct Strips {
  typedef Lines<T> L;
  typedef typename L::Value Value;
  typedef typename L::Mask Mask;
  typedef typename L::Sum Sum;
  typedef typename L::Maximum Maximum;
  typedef typename L::Changes Changes;
  typedef typename L::Gradient Gradient;
  static const int N = L::N;

  // The vectors of columns side by side in a strip. In the gradient their flags, one bit an element, are at most as
  // long as one line: kWideGradient * N <= 8 * sizeof(T).
  static const int kWide = 4;
  static const int kWideGradient = sizeof(T) == 2 ? 1 : 2;

  static int StripWidth(const Job<T>& job) { return N * (job.IsBackward() ? kWideGradient : kWide); }

  static int64_t Count(const Job<T>& job) {
    if (job.direction.along_width) return (job.shape.planes * job.shape.height + N - 1) / N;
    return job.shape.planes * ((job.shape.width + StripWidth(job) - 1) / StripWidth(job));
  }

  static size_t FlagBytes(const Job<T>& job) {
    if (!job.IsBackward()) return 0;
    const int64_t blocks = (job.Length() + L::kMaskBits - 1) / L::kMaskBits;
    return blocks * sizeof(Mask) * (job.direction.along_width ? 1 : kWideGradient);
  }

  static void Work(const Job<T>& job, char* flags, int64_t begin, int64_t end) {
    for (int64_t strip = begin; strip < end; ++strip) {
      if (!job.direction.along_width) {
        Columns(job, strip, flags);
      } else if (job.direction.from_end) {
        job.IsBackward() ? RowsGradient<true>(job, strip * N, flags) : RowsForward<true>(job, strip * N);
      } else {
        job.IsBackward() ? RowsGradient<false>(job, strip * N, flags) : RowsForward<false>(job, strip * N);
      }
    }
  }

  // The loops below are functions of their own and take the job by value: so the compiler allots registers to each by
  // itself, and knows that no store changes the job.

  // -- columns --

  static void Columns(const Job<T>& job, int64_t strip, char* flags) {
    const int64_t width = job.shape.width, wide = StripWidth(job), in_plane = (width + wide - 1) / wide;
    const int64_t first = strip % in_plane * wide, end = first + wide < width ? first + wide : width;
    // The first element that the scan meets in column 0 of this plane, and the way to the next.
    const int64_t plane = strip / in_plane * job.shape.height * width;
    const int64_t at = plane + (job.direction.from_end ? (job.shape.height - 1) * width : 0);
    const int64_t step = job.direction.from_end ? -width : width;
    if (end - first == wide) {
      job.IsBackward() ? ColumnsGradient<kWideGradient, true>(job, at + first, step, N, flags)
                       : ColumnsForward<kWide, true>(job, at + first, step, N);
      return;
    }
    for (int64_t column = first; column < end; column += N) {
      const int count = end - column < N ? static_cast<int>(end - column) : N;
      job.IsBackward() ? ColumnsGradient<1, false>(job, at + column, step, count, flags)
                       : ColumnsForward<1, false>(job, at + column, step, count);
    }
  }

  template <int K, bool kWhole>
  static CORNER_POOL_LOOP void ColumnsForward(const Job<T> job, int64_t at, int64_t step, int lanes) {
    const int count = kWhole ? N : lanes;
    Maximum maximum[K];
#pragma GCC unroll 4
    for (int k = 0; k < K; ++k) maximum[k].Start(L::Load(job.x + at + k * N, count));
    for (int64_t i = 0; i < job.shape.height; ++i, at += step) {
#pragma GCC unroll 4
      for (int k = 0; k < K; ++k) {
        maximum[k].Meet(L::Load(job.x + at + k * N, count));
        T* y = job.y + at + k * N;
        L::Store(y, job.accumulate ? L::Add(L::Load(y, count), maximum[k].value) : maximum[k].value, count);
      }
    }
  }

  template <int K, bool kWhole>
  static CORNER_POOL_LOOP void ColumnsGradient(const Job<T> job, int64_t at, int64_t step, int lanes, char* flags) {
    const int count = kWhole ? N : lanes;
    const int64_t length = job.shape.height, next_plane = length * job.shape.width;
    Maximum maximum[K];
    Changes changes[K];
#pragma GCC unroll 4
    for (int k = 0; k < K; ++k) maximum[k].Start(L::Load(job.x + at + k * N, count));
    for (int64_t begin = 0; begin < length; begin += L::kMaskBits) {
      const int64_t end = begin + L::kMaskBits < length ? begin + L::kMaskBits : length;
#pragma GCC unroll 4
      for (int k = 0; k < K; ++k) changes[k].Clear();
      for (int64_t i = begin; i < end; ++i, at += step) {
#pragma GCC unroll 4
        for (int k = 0; k < K; ++k) {
          // Narrow strips are steps that the processor does not foresee.
          __builtin_prefetch(job.x + at + k * N + next_plane, 0, 2);
          __builtin_prefetch(job.dy + at + k * N + next_plane, 0, 2);
          changes[k].Push(maximum[k].Meet(L::Load(job.x + at + k * N, count)));
        }
      }
#pragma GCC unroll 4
      for (int k = 0; k < K; ++k) changes[k].Save(flags, begin / L::kMaskBits * K + k);
    }

    Gradient gradient[K];
#pragma GCC unroll 4
    for (int k = 0; k < K; ++k) gradient[k].Clear();
    for (int64_t end = length; end > 0;) {
      const int64_t block = (end - 1) / L::kMaskBits, begin = block * L::kMaskBits;
#pragma GCC unroll 4
      for (int k = 0; k < K; ++k) changes[k].Restore(flags, block * K + k);
      for (int64_t i = end - 1; i >= begin; --i) {
        at -= step;
#pragma GCC unroll 4
        for (int k = 0; k < K; ++k) {
          const int64_t here = at + k * N;
          __builtin_prefetch(job.dx + here + next_plane, 1, 2);
          const Mask winner = i == 0 ? ~Mask{} : changes[k].Pop();
          Sum share = gradient[k].Share(L::Load(job.dy + here, count), winner);
          if (job.accumulate) share += L::Widen(L::Load(job.dx + here, count));
          L::Store(job.dx + here, L::Narrow(share), count);
        }
      }
      end = begin;
    }
  }

  // -- rows --
  //
  // N rows are scanned tile by tile. A tile is whole, then everything unrolls and it stays in registers, or it is what
  // is left at the end of the rows or below the last N rows.

  /*! \brief where a tile lies and how much of it there is */
  struct Place {
    int64_t at;
    int rows, steps;
  };

  template <bool kFromEnd>
  static CORNER_POOL_INLINE Place PlaceOf(const Job<T>& job, int64_t row, int64_t tile) {
    const int64_t width = job.shape.width, left = width - tile * N, below = job.shape.planes * job.shape.height - row;
    const int steps = left < N ? static_cast<int>(left) : N;
    return {row * width + (kFromEnd ? left - steps : tile * N), below < N ? static_cast<int>(below) : N, steps};
  }

  /*! \brief vector k holds column k of the tile */
  template <bool kFromEnd, bool kWhole>
  struct Tile {
    Value columns[N];

    CORNER_POOL_INLINE void Load(const T* from, int64_t stride, const Place& place) {
      from += place.at;
      if (kWhole) {
#pragma GCC unroll 16
        for (int i = 0; i < N; ++i) {
          __builtin_prefetch(from + (i + N) * stride, 0, 3);  // the next N rows
          columns[i] = L::Load(from + i * stride, N);
        }
      } else {
        for (int i = 0; i < N; ++i) columns[i] = i < place.rows ? L::Load(from + i * stride, place.steps) : Value{};
      }
      L::Transpose(columns);
    }

    CORNER_POOL_INLINE void Store(T* to, int64_t stride, const Place& place) {
      to += place.at;
      L::Transpose(columns);
      if (kWhole) {
#pragma GCC unroll 16
        for (int i = 0; i < N; ++i) {
          __builtin_prefetch(to + (i + N) * stride, 1, 3);
          L::Store(to + i * stride, columns[i], N);
        }
      } else {
        for (int i = 0; i < place.rows; ++i) L::Store(to + i * stride, columns[i], place.steps);
      }
    }

    /*! \brief the column that step i of the scan meets */
    CORNER_POOL_INLINE Value& At(int i, const Place& place) {
      return columns[kFromEnd ? (kWhole ? N : place.steps) - 1 - i : i];
    }
  };

  template <bool kFromEnd, bool kWhole>
  static CORNER_POOL_INLINE void ForwardTile(const Job<T>& job, const Place& place, bool first, Maximum* maximum) {
    Tile<kFromEnd, kWhole> tile, before = {};
    tile.Load(job.x, job.shape.width, place);
    if (job.accumulate) before.Load(job.y, job.shape.width, place);
    if (first) maximum->Start(tile.At(0, place));
    CORNER_POOL_EACH_STEP(kWhole, place.steps, {
      maximum->Meet(tile.At(i, place));
      tile.At(i, place) = job.accumulate ? L::Add(before.At(i, place), maximum->value) : maximum->value;
    });
    tile.Store(job.y, job.shape.width, place);
  }

  template <bool kFromEnd, bool kWhole>
  static CORNER_POOL_INLINE void ChangesInTile(const Job<T>& job, const Place& place, bool first, Maximum* maximum,
                                               Changes* changes) {
    Tile<kFromEnd, kWhole> tile;
    tile.Load(job.x, job.shape.width, place);
    if (first) maximum->Start(tile.At(0, place));
    CORNER_POOL_EACH_STEP(kWhole, place.steps, changes->Push(maximum->Meet(tile.At(i, place))););
  }

  template <bool kFromEnd, bool kWhole>
  static CORNER_POOL_INLINE void GradientTile(const Job<T>& job, const Place& place, bool first, Changes* changes,
                                              Gradient* gradient) {
    Tile<kFromEnd, kWhole> tile, before = {};
    tile.Load(job.dy, job.shape.width, place);
    if (job.accumulate) before.Load(job.dx, job.shape.width, place);
    CORNER_POOL_EACH_STEP(kWhole, place.steps, {
      const int back = (kWhole ? N : place.steps) - 1 - i;
      const Mask winner = first && back == 0 ? ~Mask{} : changes->Pop();
      Sum share = gradient->Share(tile.At(back, place), winner);
      if (job.accumulate) share += L::Widen(before.At(back, place));
      tile.At(back, place) = L::Narrow(share);
    });
    tile.Store(job.dx, job.shape.width, place);
  }

  template <bool kFromEnd>
  static CORNER_POOL_LOOP void RowsForward(const Job<T> job, int64_t row) {
    const int64_t tiles = (job.shape.width + N - 1) / N;
    Maximum maximum;
    for (int64_t t = 0; t < tiles; ++t) {
      const Place place = PlaceOf<kFromEnd>(job, row, t);
      if (place.rows == N && place.steps == N) {
        ForwardTile<kFromEnd, true>(job, place, t == 0, &maximum);
      } else {
        ForwardTile<kFromEnd, false>(job, place, t == 0, &maximum);
      }
    }
  }

  template <bool kFromEnd>
  static CORNER_POOL_LOOP void RowsGradient(const Job<T> job, int64_t row, char* flags) {
    const int64_t tiles = (job.shape.width + N - 1) / N, in_block = L::kMaskBits / N;
    Maximum maximum;
    Changes changes;
    changes.Clear();
    for (int64_t t = 0; t < tiles; ++t) {
      const Place place = PlaceOf<kFromEnd>(job, row, t);
      if (place.rows == N && place.steps == N) {
        ChangesInTile<kFromEnd, true>(job, place, t == 0, &maximum, &changes);
      } else {
        ChangesInTile<kFromEnd, false>(job, place, t == 0, &maximum, &changes);
      }
      changes.Save(flags, t / in_block);
      if ((t + 1) % in_block == 0) changes.Clear();
    }

    Gradient gradient;
    gradient.Clear();
    for (int64_t t = tiles - 1; t >= 0; --t) {
      const Place place = PlaceOf<kFromEnd>(job, row, t);
      if (t == tiles - 1 || (t + 1) % in_block == 0) changes.Restore(flags, t / in_block);
      if (place.rows == N && place.steps == N) {
        GradientTile<kFromEnd, true>(job, place, t == 0, &changes, &gradient);
      } else {
        GradientTile<kFromEnd, false>(job, place, t == 0, &changes, &gradient);
      }
    }
  }
};

template <typename T>
Worker<T> MakeWorker() {
  return {Strips<T>::Work, Strips<T>::Count, Strips<T>::FlagBytes};
}

}  // namespace CORNER_POOL_SET
}  // namespace corner_pool

#undef CORNER_POOL_EACH_STEP
#undef CORNER_POOL_LOOP
#undef CORNER_POOL_INLINE
#undef CORNER_POOL_MAX
#undef CORNER_POOL_SET
#undef CORNER_POOL_BYTES
#undef CORNER_POOL_TARGET
#undef CORNER_POOL_WIDEN_HALVES
#undef CORNER_POOL_NARROW_HALVES
