/*
 * Copyright (c) 2026 The gluonzoo authors
 * Licensed under the Apache License, Version 2.0; see the file LICENSE.
 */
/*!
 * \file cuda_runtime.h
 * \brief As much of CUDA as the kernels use, on a CPU: every GPU thread is a thread, and blocks run one after another.
 *
 * Found in place of CUDA's own by the test that compiles the kernels with a C++20 compiler, in which a launch
 * kernel<<<blocks, threads, 0, stream>>>(job) has become Launch(blocks, threads, [&] { kernel(job); }). It tells what
 * the kernels compute, and with a thread sanitizer that warps are synchronised; not how fast, and not how a GPU rounds.
 */
#ifndef GLUONZOO_UNITTESTS_CUDA_EMULATION_CUDA_RUNTIME_H_
#define GLUONZOO_UNITTESTS_CUDA_EMULATION_CUDA_RUNTIME_H_

#include <barrier>
#include <memory>
#include <thread>
#include <vector>

#define __host__
#define __device__
#define __global__
#define __forceinline__ inline
#define __launch_bounds__(threads)
#define __shared__ static  // one block at a time

struct Index {
  unsigned x;
};
inline thread_local Index blockIdx, threadIdx;
inline Index blockDim;

typedef int cudaError_t;
typedef void* cudaStream_t;
enum { cudaSuccess = 0, cudaErrorInvalidValue = 1 };
inline cudaError_t cudaGetLastError() { return cudaSuccess; }

inline thread_local std::barrier<>* warp;
inline void __syncwarp() { warp->arrive_and_wait(); }

template <typename Kernel>
void Launch(unsigned blocks, unsigned threads, Kernel kernel) {
  const unsigned kThreadsOfWarp = 32;
  blockDim.x = threads;
  for (unsigned block = 0; block < blocks; ++block) {
    std::vector<std::unique_ptr<std::barrier<>>> warps;
    for (unsigned begin = 0; begin < threads; begin += kThreadsOfWarp) {
      warps.push_back(std::make_unique<std::barrier<>>(kThreadsOfWarp));
    }
    std::vector<std::jthread> running;
    for (unsigned thread = 0; thread < threads; ++thread) {
      running.emplace_back([&, thread] {
        blockIdx.x = block;
        threadIdx.x = thread;
        warp = warps[thread / kThreadsOfWarp].get();
        kernel();
        warp->arrive_and_drop();  // a thread that has left is not waited for
      });
    }
  }
}

#endif  // GLUONZOO_UNITTESTS_CUDA_EMULATION_CUDA_RUNTIME_H_
