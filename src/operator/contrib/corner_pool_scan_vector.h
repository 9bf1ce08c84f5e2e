/*
 * Copyright (c) 2026 The gluonzoo authors
 * Licensed under the Apache License, Version 2.0; see the file LICENSE.
 */
/*!
 * \file corner_pool_scan_vector.h
 * \brief The loops of a corner pool on a CPU, for one instruction set. corner_pool_scan_cpu.h includes this file once
 *        for each, so it has no include guard and takes its parameters as macros:
 *
 *        CORNER_POOL_SET     the namespace of this instruction set, where Lines are
 *        CORNER_POOL_BYTES   the size of its vectors
 *        CORNER_POOL_INLINE  declares a function that uses it and is inlined into another one that does
 *        CORNER_POOL_LOOP    declares a function that uses it and is not inlined
 *
 * A vector holds one element of each of N neighbouring lines, so the scan itself is plain vector arithmetic. Columns
 * lie that way in memory; rows are brought there by transposing N x N tiles in registers. The gradient scans twice:
 * along the scan to find where the maximum changes, and back to add up. In between it remembers one bit an element.
 */

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

/*! \brief loads, stores and transposes vectors of N elements */
template <typename T>
struct Vectors {
  typedef typename Lines<T>::Value Value;
  static const int N = Lines<T>::N;

  // The first `count` lanes. Where count is the constant N, this is one instruction.
  static CORNER_POOL_INLINE Value Load(const T* from, int count) {
    Value value = {};
    memcpy(&value, from, count * sizeof(T));
    return value;
  }
  static CORNER_POOL_INLINE void Store(T* to, const Value& value, int count) { memcpy(to, &value, count * sizeof(T)); }

  /*! \brief rows become columns, in place */
  static CORNER_POOL_INLINE void Transpose(Value (&tile)[N]) {
    // First within lanes of 16 bytes, all that an unpack instruction knows, then whole lanes.
    Exchange<kInLane / 2>(tile);
    Exchange<kInLane / 4>(tile);
    Exchange<kInLane / 8>(tile);
    if (kLanes >= 2) Exchange<kInLane>(tile);
    if (kLanes >= 4) Exchange<kInLane * 2>(tile);
  }

 private:
  typedef typename Integer<sizeof(T)>::type Positions __attribute__((vector_size(N * sizeof(T))));
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
    return CORNER_POOL_SHUFFLE(a, b, Positions,
                               (I / kInLane * kInLane + I % kInLane / 2 + kUpper * (kInLane / 2) + I % 2 * N)...);
  }
  // The even (odd) ones of the 16-byte lanes of a, then of b.
  template <int kOdd, int... I>
  static CORNER_POOL_INLINE Value EverySecondLane(const Value& a, const Value& b, Sequence<I...>) {
    return CORNER_POOL_SHUFFLE(
        a, b, Positions,
        ((I / kInLane * 2 % kLanes + kOdd) * kInLane + I % kInLane + (I / kInLane * 2 < kLanes ? 0 : N))...);
  }
};

/*! \brief does a job strip by strip: neighbouring lines that are independent of all others */
template <typename T>
struct Strips {
  typedef Lines<T> L;
  typedef Vectors<T> V;
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
    return job.IsBackward() ? Changes::Bytes(job.Length()) * (job.direction.along_width ? 1 : kWideGradient) : 0;
  }

  // What becomes of the output: it overwrites what is there, is added to it, or overwrites it past the caches.
  enum Output { kWrite, kAdd, kStream };

  static bool CanStream(const Job<T>& job) {
    const uintptr_t out = reinterpret_cast<uintptr_t>(job.IsBackward() ? job.dx : job.y);
    return L::kStreams && out % sizeof(Value) == 0 && job.shape.width % N == 0;
  }

  static void Work(const Job<T>& job, bool stream, char* flags, int64_t begin, int64_t end) {
    const Output maybe_stream = L::kStreams ? kStream : kWrite;  // what is never done is not compiled
    if (job.accumulate) {
      WorkFor<kAdd>(job, flags, begin, end);
    } else if (stream && CanStream(job)) {
      WorkFor<maybe_stream>(job, flags, begin, end);
    } else {
      WorkFor<kWrite>(job, flags, begin, end);
    }
  }

  // The gradient goes from the last strip to the first: what was written last, by forward and into dy, may still be in
  // a cache, and what dx ends with is where the next reader begins.
  template <Output kOutput>
  static void WorkFor(const Job<T>& job, char* flags, int64_t begin, int64_t end) {
    for (int64_t i = 0; i < end - begin; ++i) {
      const int64_t strip = job.IsBackward() ? end - 1 - i : begin + i;
      if (!job.direction.along_width) {
        Columns<kOutput>(job, strip, flags);
      } else if (job.direction.from_end) {
        Rows<kOutput, true>(job, strip * N, flags);
      } else {
        Rows<kOutput, false>(job, strip * N, flags);
      }
    }
    if (kOutput == kStream) L::EndStream();
  }

  /*! \brief writes the first `count` lanes, or the whole vector past the caches; fetches what is written next */
  template <Output kOutput>
  static CORNER_POOL_INLINE void Put(T* to, const Value& value, int count, const T* next) {
    if (kOutput == kStream) {
      L::Stream(to, value);
    } else {
      __builtin_prefetch(next, 1, 3);
      V::Store(to, value, count);
    }
  }

  // The loops below are functions of their own and take the job by value: so the compiler allots registers to each by
  // itself, and knows that no store changes the job.

  // -- columns --

  template <Output kOutput>
  static void Columns(const Job<T>& job, int64_t strip, char* flags) {
    const int64_t width = job.shape.width, wide = StripWidth(job), in_plane = (width + wide - 1) / wide;
    const int64_t first = strip % in_plane * wide, end = first + wide < width ? first + wide : width;
    // The first element that the scan meets in column 0 of this plane, and the way to the next.
    const int64_t plane = strip / in_plane * job.shape.height * width;
    const int64_t at = plane + (job.direction.from_end ? (job.shape.height - 1) * width : 0);
    const int64_t step = job.direction.from_end ? -width : width;
    if (end - first == wide) {
      // Meanwhile this strip's share of the plane to come is fetched, in the order in which it lies in memory.
      const int64_t ahead = plane + job.shape.height * (first + (job.IsBackward() ? -width : width));
      job.IsBackward() ? ColumnsGradient<kOutput, kWideGradient, true>(job, at + first, step, N, ahead, flags)
                       : ColumnsForward<kOutput, kWide, true>(job, at + first, step, N, ahead);
      return;
    }
    const Output kPartial = kOutput == kAdd ? kAdd : kWrite;
    for (int64_t column = first; column < end; column += N) {
      const int count = end - column < N ? static_cast<int>(end - column) : N;
      job.IsBackward() ? ColumnsGradient<kPartial, 1, false>(job, at + column, step, count, at, flags)
                       : ColumnsForward<kPartial, 1, false>(job, at + column, step, count, at);
    }
  }

  template <Output kOutput, int K, bool kWhole>
  static CORNER_POOL_LOOP void ColumnsForward(const Job<T> job, int64_t at, int64_t step, int lanes, int64_t ahead) {
    const int count = kWhole ? N : lanes;
    Maximum maximum[K];
#pragma GCC unroll 4
    for (int k = 0; k < K; ++k) maximum[k].Start(V::Load(job.x + at + k * N, count));
    for (int64_t i = 0; i < job.shape.height; ++i, at += step) {
#pragma GCC unroll 4
      for (int k = 0; k < K; ++k, ahead += N) {
        __builtin_prefetch(job.x + ahead, 0, 2);
        maximum[k].Meet(V::Load(job.x + at + k * N, count));
        Value value = maximum[k].value;
        T* y = job.y + at + k * N;
        if (kOutput == kAdd) value = L::Narrow(L::Add(L::Widen(V::Load(y, count)), L::Widen(value)));
        Put<kOutput>(y, value, count, job.y + ahead);
      }
    }
  }

  template <Output kOutput, int K, bool kWhole>
  static CORNER_POOL_LOOP void ColumnsGradient(const Job<T> job, int64_t at, int64_t step, int lanes, int64_t ahead,
                                               char* flags) {
    const int count = kWhole ? N : lanes;
    const int64_t length = job.shape.height;
    Maximum maximum[K];
    Changes changes[K];
#pragma GCC unroll 4
    for (int k = 0; k < K; ++k) {
      maximum[k].Start(V::Load(job.x + at + k * N, count));
      changes[k].Start(flags + k * Changes::Bytes(length));
    }
    for (int64_t begin = 0; begin < length; begin += Changes::kBlock) {
      const int64_t end = begin + Changes::kBlock < length ? begin + Changes::kBlock : length;
      for (int64_t i = begin; i < end; ++i, at += step) {
#pragma GCC unroll 4
        for (int k = 0; k < K; ++k, ahead += N) {
          __builtin_prefetch(job.x + ahead, 0, 2);
          __builtin_prefetch(job.dy + ahead, 0, 2);
          changes[k].Push(maximum[k].Meet(V::Load(job.x + at + k * N, count)));
        }
      }
#pragma GCC unroll 4
      for (int k = 0; k < K; ++k) changes[k].EndBlock();
    }

    Gradient gradient[K];
#pragma GCC unroll 4
    for (int k = 0; k < K; ++k) gradient[k].Start();
    for (int64_t end = length; end > 0;) {
      const int64_t begin = (end - 1) / Changes::kBlock * Changes::kBlock;
#pragma GCC unroll 4
      for (int k = 0; k < K; ++k) changes[k].BackToBlock();
      for (int64_t i = end - 1; i >= begin; --i) {
        at -= step;
#pragma GCC unroll 4
        for (int k = 0; k < K; ++k) {
          const int64_t here = at + k * N;
          ahead -= N;
          const Mask winner = i == 0 ? L::All() : changes[k].Pop();
          Sum share = gradient[k].Share(V::Load(job.dy + here, count), winner);
          if (kOutput == kAdd) share = L::Add(share, L::Widen(V::Load(job.dx + here, count)));
          Put<kOutput>(job.dx + here, L::Narrow(share), count, job.dx + ahead);
        }
      }
      end = begin;
    }
  }

  // -- rows --
  //
  // N rows are scanned tile by tile. A tile is whole, then everything unrolls and it stays in registers, or it is what
  // is left at the end of the rows or below the last N rows.

  template <Output kOutput, bool kFromEnd>
  static void Rows(const Job<T>& job, int64_t row, char* flags) {
    job.IsBackward() ? RowsGradient<kOutput, kFromEnd>(job, row, flags) : RowsForward<kOutput, kFromEnd>(job, row);
  }

  /*! \brief where a tile lies, how much of it there is, and how far it is to that of the next strip */
  struct Place {
    int64_t at;
    int rows, steps;
    int64_t next;
    bool IsWhole() const { return rows == N && steps == N; }
  };

  template <bool kFromEnd>
  static CORNER_POOL_INLINE Place PlaceOf(const Job<T>& job, int64_t row, int64_t tile) {
    const int64_t width = job.shape.width, left = width - tile * N, below = job.shape.planes * job.shape.height - row;
    const int steps = left < N ? static_cast<int>(left) : N;
    return {row * width + (kFromEnd ? left - steps : tile * N), below < N ? static_cast<int>(below) : N, steps,
            job.IsBackward() ? -N * width : N * width};
  }

  /*! \brief vector k holds column k of the tile */
  template <bool kFromEnd, bool kWhole>
  struct Tile {
    Value columns[N];

    CORNER_POOL_INLINE void Load(const T* from, int64_t stride, const Place& place) {
      from = Forget(from + place.at);
      if (kWhole) {
#pragma GCC unroll 16
        for (int i = 0; i < N; ++i) {
          __builtin_prefetch(from + i * stride + place.next, 0, 3);
          columns[i] = V::Load(from + i * stride, N);
        }
      } else {
        for (int i = 0; i < N; ++i) columns[i] = i < place.rows ? V::Load(from + i * stride, place.steps) : Value{};
      }
      V::Transpose(columns);
    }

    template <Output kOutput>
    CORNER_POOL_INLINE void Store(T* to, int64_t stride, const Place& place) {
      to = Forget(to + place.at);
      V::Transpose(columns);
      if (kWhole) {
#pragma GCC unroll 16
        for (int i = 0; i < N; ++i) Put<kOutput>(to + i * stride, columns[i], N, to + i * stride + place.next);
      } else {
        for (int i = 0; i < place.rows; ++i) V::Store(to + i * stride, columns[i], place.steps);
      }
    }

    // Otherwise the compiler keeps the addresses of N rows of each array from tile to tile, on the stack.
    template <typename Pointer>
    static CORNER_POOL_INLINE Pointer Forget(Pointer pointer) {
      __asm__("" : "+r"(pointer));
      return pointer;
    }

    /*! \brief the column that step i of the scan meets */
    CORNER_POOL_INLINE Value& At(int i, const Place& place) {
      return columns[kFromEnd ? (kWhole ? N : place.steps) - 1 - i : i];
    }
  };

  template <Output kOutput, bool kFromEnd, bool kWhole>
  static CORNER_POOL_INLINE void ForwardTile(const Job<T>& job, const Place& place, bool first, Maximum* maximum) {
    Tile<kFromEnd, kWhole> tile, before = {};
    tile.Load(job.x, job.shape.width, place);
    if (kOutput == kAdd) before.Load(job.y, job.shape.width, place);
    if (first) maximum->Start(tile.At(0, place));
    if (kWhole && maximum->OnlyNumbers(tile.columns)) {
      CORNER_POOL_EACH_STEP(kWhole, place.steps, {
        maximum->MeetNumber(tile.At(i, place));
        tile.At(i, place) = maximum->value;
      });
    } else {
      CORNER_POOL_EACH_STEP(kWhole, place.steps, {
        maximum->Meet(tile.At(i, place));
        tile.At(i, place) = maximum->value;
      });
    }
    if (kOutput == kAdd) {
      CORNER_POOL_EACH_STEP(
          kWhole, place.steps,
          tile.At(i, place) = L::Narrow(L::Add(L::Widen(before.At(i, place)), L::Widen(tile.At(i, place)))););
    }
    tile.template Store<kOutput>(job.y, job.shape.width, place);
  }

  template <bool kFromEnd, bool kWhole>
  static CORNER_POOL_INLINE void ChangesInTile(const Job<T>& job, const Place& place, bool first, Maximum* maximum,
                                               Changes* changes) {
    Tile<kFromEnd, kWhole> tile;
    tile.Load(job.x, job.shape.width, place);
    if (first) maximum->Start(tile.At(0, place));
    if (kWhole && maximum->OnlyNumbers(tile.columns)) {
      CORNER_POOL_EACH_STEP(kWhole, place.steps, changes->Push(maximum->MeetNumber(tile.At(i, place))););
    } else {
      CORNER_POOL_EACH_STEP(kWhole, place.steps, changes->Push(maximum->Meet(tile.At(i, place))););
    }
  }

  template <Output kOutput, bool kFromEnd, bool kWhole>
  static CORNER_POOL_INLINE void GradientTile(const Job<T>& job, const Place& place, bool first, Changes* changes,
                                              Gradient* gradient) {
    Tile<kFromEnd, kWhole> tile, before = {};
    tile.Load(job.dy, job.shape.width, place);
    if (kOutput == kAdd) before.Load(job.dx, job.shape.width, place);
    CORNER_POOL_EACH_STEP(kWhole, place.steps, {
      const int back = (kWhole ? N : place.steps) - 1 - i;
      const Mask winner = first && back == 0 ? L::All() : changes->Pop();
      Sum share = gradient->Share(tile.At(back, place), winner);
      if (kOutput == kAdd) share = L::Add(share, L::Widen(before.At(back, place)));
      tile.At(back, place) = L::Narrow(share);
    });
    tile.template Store<kOutput>(job.dx, job.shape.width, place);
  }

  template <Output kOutput, bool kFromEnd>
  static CORNER_POOL_LOOP void RowsForward(const Job<T> job, int64_t row) {
    const int64_t tiles = (job.shape.width + N - 1) / N;
    Maximum maximum;
    for (int64_t t = 0; t < tiles; ++t) {
      const Place place = PlaceOf<kFromEnd>(job, row, t);
      place.IsWhole() ? ForwardTile<kOutput, kFromEnd, true>(job, place, t == 0, &maximum)
                      : ForwardTile<kOutput, kFromEnd, false>(job, place, t == 0, &maximum);
    }
  }

  template <Output kOutput, bool kFromEnd>
  static CORNER_POOL_LOOP void RowsGradient(const Job<T> job, int64_t row, char* flags) {
    const int64_t tiles = (job.shape.width + N - 1) / N, in_block = Changes::kBlock / N;
    Maximum maximum;
    Changes changes;
    changes.Start(flags);
    for (int64_t t = 0; t < tiles; ++t) {
      const Place place = PlaceOf<kFromEnd>(job, row, t);
      place.IsWhole() ? ChangesInTile<kFromEnd, true>(job, place, t == 0, &maximum, &changes)
                      : ChangesInTile<kFromEnd, false>(job, place, t == 0, &maximum, &changes);
      if (t == tiles - 1 || (t + 1) % in_block == 0) changes.EndBlock();
    }

    Gradient gradient;
    gradient.Start();
    for (int64_t t = tiles - 1; t >= 0; --t) {
      const Place place = PlaceOf<kFromEnd>(job, row, t);
      if (t == tiles - 1 || (t + 1) % in_block == 0) changes.BackToBlock();
      place.IsWhole() ? GradientTile<kOutput, kFromEnd, true>(job, place, t == 0, &changes, &gradient)
                      : GradientTile<kOutput, kFromEnd, false>(job, place, t == 0, &changes, &gradient);
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
