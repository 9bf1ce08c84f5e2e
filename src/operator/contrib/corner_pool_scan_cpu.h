/*
 * Copyright (c) 2026 The gluonzoo authors
 * Licensed under the Apache License, Version 2.0; see the file LICENSE.
 */
/*!
 * \file corner_pool_scan_cpu.h
 * \brief Corner pooling on a CPU: every instruction set, chosen when the program runs, and all threads.
 */
#ifndef MXNET_OPERATOR_CONTRIB_CORNER_POOL_SCAN_CPU_H_
#define MXNET_OPERATOR_CONTRIB_CORNER_POOL_SCAN_CPU_H_

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

#include <algorithm>
#include <type_traits>
#include <vector>

namespace corner_pool {

// What corner_pool_scan_vector.h needs whatever the instruction set: lane types, and the indices 0 ... N - 1.
template <typename T>
struct Lane {
  typedef T Value;
};
template <>
struct Lane<Half> {
  typedef int16_t Value;
};
template <size_t Bytes>
struct Integer;
template <>
struct Integer<2> {
  typedef int16_t type;
};
template <>
struct Integer<4> {
  typedef int32_t type;
};
template <>
struct Integer<8> {
  typedef int64_t type;
};

template <int... I>
struct Sequence {};
template <int N, int... I>
struct CountTo : CountTo<N - 1, N - 1, I...> {};
template <int... I>
struct CountTo<0, I...> {
  typedef Sequence<I...> type;
};

/*! \brief the loops of one instruction set: how many strips a job has, what a strip needs, and the work on some */
template <typename T>
struct Worker {
  void (*work)(const Job<T>& job, bool stream, char* flags, int64_t begin, int64_t end);
  int64_t (*strips)(const Job<T>& job);
  size_t (*flag_bytes)(const Job<T>& job);
};

}  // namespace corner_pool

// Vectors only pass between functions that are inlined into one another, so their calling convention is moot. (The
// compiler speaks of it at the end of the file that includes this one, so the setting stays.)
#pragma GCC diagnostic ignored "-Wpsabi"
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC 12 says so of its own AVX-512 headers
#endif

#if defined(__clang__)
#define CORNER_POOL_SHUFFLE(a, b, IndexVector, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define CORNER_POOL_SHUFFLE(a, b, IndexVector, ...) __builtin_shuffle(a, b, IndexVector{__VA_ARGS__})
#endif

#define CORNER_POOL_INLINE inline __attribute__((always_inline)) CORNER_POOL_TARGET
#define CORNER_POOL_LOOP __attribute__((noinline)) CORNER_POOL_TARGET

#define CORNER_POOL_SET baseline
#define CORNER_POOL_BYTES 16
#define CORNER_POOL_TARGET
#define CORNER_POOL_WIDEN_HALVES(from, to) \
  for (int i = 0; i < N; ++i) to[i] = Element<T>::Widen(from[i]);
#define CORNER_POOL_NARROW_HALVES(from, to) \
  for (int i = 0; i < N; ++i) to[i] = Element<T>::Narrow(from[i]);
#include "./corner_pool_scan_lines.h"
#include "./corner_pool_scan_vector.h"
#undef CORNER_POOL_SET
#undef CORNER_POOL_BYTES
#undef CORNER_POOL_TARGET
#undef CORNER_POOL_WIDEN_HALVES
#undef CORNER_POOL_NARROW_HALVES

#if defined(__x86_64__)
#define CORNER_POOL_SET avx2
#define CORNER_POOL_BYTES 32
#define CORNER_POOL_TARGET __attribute__((target("avx2,f16c")))  // every processor with the first has the second
#define CORNER_POOL_WIDEN_HALVES(from, to) \
  for (int i = 0; i < N; i += 8)           \
    _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i))));
#define CORNER_POOL_NARROW_HALVES(from, to) \
  for (int i = 0; i < N; i += 8)            \
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i), _mm256_cvtps_ph(_mm256_loadu_ps(from + i), 0));
#include "./corner_pool_scan_lines.h"
#include "./corner_pool_scan_vector.h"
#undef CORNER_POOL_SET
#undef CORNER_POOL_BYTES
#undef CORNER_POOL_TARGET
#undef CORNER_POOL_WIDEN_HALVES
#undef CORNER_POOL_NARROW_HALVES

#define CORNER_POOL_SET avx512
#define CORNER_POOL_BYTES 64
#define CORNER_POOL_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#include "./corner_pool_scan_lines_avx512.h"
#include "./corner_pool_scan_vector.h"
#undef CORNER_POOL_SET
#undef CORNER_POOL_BYTES
#undef CORNER_POOL_TARGET
#endif

#undef CORNER_POOL_INLINE
#undef CORNER_POOL_LOOP

namespace corner_pool {

#if defined(__x86_64__)
inline bool HasAvx2() { return __builtin_cpu_supports("avx2"); }
inline bool HasAvx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

template <typename T>
Worker<T> BestWorker() {
#if defined(__x86_64__)
  if (HasAvx512()) return avx512::MakeWorker<T>();
  if (HasAvx2()) return avx2::MakeWorker<T>();
#endif
  return baseline::MakeWorker<T>();
}

/*! \brief the size of the last cache before memory, as one core sees it; 0 where the processor does not say */
inline int64_t LastCacheBytes() {
  int64_t largest = 0;
#if defined(__x86_64__)
  for (unsigned leaf : {4U, 0x8000001DU}) {  // where Intel and where AMD describes caches
    if (__get_cpuid_max(leaf & 0x80000000U, nullptr) < leaf) continue;
    for (unsigned cache = 0; cache < 16; ++cache) {  // a few, then one of type 0
      unsigned type, shape, sets, unused;
      __cpuid_count(leaf, cache, type, shape, sets, unused);
      if ((type & 31) == 0) break;
      const int64_t line = (shape & 4095) + 1, partitions = (shape >> 12 & 1023) + 1, ways = (shape >> 22) + 1;
      largest = std::max(largest, line * partitions * ways * (static_cast<int64_t>(sets) + 1));
    }
  }
#endif
  return largest;
}

/*!
 * \brief whether the output is better written past the caches: nothing of it would be left there for the next reader
 *
 * Measured together with that reader: from one and a half times the cache it wins.
 */
template <typename T>
bool IsWorthStreaming(const Job<T>& job) {
  static const int64_t cache = LastCacheBytes();
  return cache > 0 && 2 * job.Bytes() >= 3 * cache;
}

/*!
 * \brief does the job on the CPU
 * \param threads how many at most
 * \param worker the loops of an instruction set that this CPU has
 * \param stream past the caches, where the instruction set and the shape allow it
 *
 * The result depends on none of these.
 */
template <typename T>
void RunOnCpu(const Job<T>& job, int threads, const Worker<T>& worker, bool stream) {
  if (job.shape.Size() == 0) return;
  const int64_t strips = worker.strips(job);
  // Waking a thread costs more than the few microseconds that this many bytes take.
  const int64_t kBytesWorthAThread = 65536;
  const int64_t useful = std::min<int64_t>(strips, job.shape.Size() * sizeof(T) / kBytesWorthAThread + 1);
  const int team = static_cast<int>(std::max<int64_t>(1, std::min<int64_t>(threads, useful)));
  const size_t flag_bytes = worker.flag_bytes(job) + 64;  // so that threads share no cache line
  std::vector<char> flags(team * flag_bytes);
#pragma omp parallel for num_threads(team) schedule(static, 1)
  for (int part = 0; part < team; ++part) {
    worker.work(job, stream, flags.data() + part * flag_bytes, strips * part / team, strips * (part + 1) / team);
  }
}

template <typename T>
void RunOnCpu(const Job<T>& job, int threads) {
  RunOnCpu(job, threads, BestWorker<T>(), IsWorthStreaming(job));
}

}  // namespace corner_pool

#endif  // MXNET_OPERATOR_CONTRIB_CORNER_POOL_SCAN_CPU_H_
