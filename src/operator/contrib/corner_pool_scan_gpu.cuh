/*
 * Copyright (c) 2026 The gluonzoo authors
 * Licensed under the Apache License, Version 2.0; see the file LICENSE.
 */
/*!
 * \file corner_pool_scan_gpu.cuh
 * \brief Corner pooling on a GPU: a thread scans a line.
 *
 * Neighbouring threads scan neighbouring lines. Columns lie so that a warp then reads whole rows at once. Rows do not:
 * a warp that scans 32 rows brings them through shared memory, in tiles of 32 x 32, each read and written row by row.
 *
 * The gradient is one pass along the scan. A thread adds up output gradients, and when the maximum changes, or the line
 * ends, gives the sum to the winner. In columns every other element gets its zero when it is met; in rows a tile of dx
 * is zeroed as a whole, and the winners are written over that, straight to dx. Nothing is remembered, and dx may be dy:
 * an element is written only after it has been read.
 */
#ifndef MXNET_OPERATOR_CONTRIB_CORNER_POOL_SCAN_GPU_CUH_
#define MXNET_OPERATOR_CONTRIB_CORNER_POOL_SCAN_GPU_CUH_

#include <cuda_runtime.h>

namespace corner_pool {

const int kWarp = 32;
const int kAhead = 8;  // elements of a line in flight before the first is used
const int kThreadsOnColumns = 128;
const int kWarpsOnRows = 2;  // so that the tiles of two doubles fit into 48 KB of shared memory

/*! \brief *to = value, or *to += value */
template <typename T>
__device__ __forceinline__ void Deliver(T* to, typename Element<T>::Sum value, bool accumulate) {
  *to = Element<T>::Narrow(accumulate ? Element<T>::Widen(*to) + value : value);
}

/*! \brief the maximum met so far */
template <typename T>
struct Maximum {
  T value;
  __device__ __forceinline__ bool Meet(T later) {
    const bool change = Element<T>::LaterWins(value, later);
    if (change) value = later;
    return change;
  }
};

/*! \brief the gradient of one line: which element is the winner, and its sum so far */
template <typename T>
struct Winner {
  Maximum<T> maximum;
  typename Element<T>::Sum sum;
  int64_t at;

  /*!
   * \brief meets element i, with gradient dy; give(at, sum) is called when a winner is done, zero(i) for an element
   * that is not a winner
   */
  template <typename Give, typename Zero>
  __device__ __forceinline__ void Meet(int64_t i, T x, T dy, const Give& give, const Zero& zero) {
    if (i == 0 || maximum.Meet(x)) {
      if (i == 0) {
        maximum.value = x;
      } else {
        give(at, sum);
      }
      at = i;
      sum = Element<T>::Widen(dy);
    } else {
      sum += Element<T>::Widen(dy);
      zero(i);
    }
  }
};

// What a winner's sum, and a zero, do to a line of dx.
template <typename T>
struct GiveTo {
  T* line;
  int64_t step;
  bool accumulate;
  __device__ __forceinline__ void operator()(int64_t i, typename Element<T>::Sum sum) const {
    Deliver(line + i * step, sum, accumulate);
  }
};

template <typename T>
struct ZeroIn {
  T* line;
  int64_t step;
  bool accumulate;
  __device__ __forceinline__ void operator()(int64_t i) const {
    if (!accumulate) line[i * step] = Element<T>::Narrow(0);
  }
};

// -- columns --

/*! \brief the first element that the scan of this thread's column meets, or -1: there is no such column */
template <typename T>
__device__ __forceinline__ int64_t ColumnStart(const Job<T>& job) {
  const int64_t column = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x;
  const int64_t width = job.shape.width, height = job.shape.height;
  if (column >= job.shape.planes * width) return -1;
  return column / width * height * width + column % width + (job.direction.from_end ? (height - 1) * width : 0);
}

template <typename T>
__global__ void __launch_bounds__(kThreadsOnColumns) ForwardColumns(Job<T> job) {
  const int64_t start = ColumnStart(job), length = job.shape.height;
  if (start < 0) return;
  const int64_t step = job.direction.from_end ? -job.shape.width : job.shape.width;
  const T* x = job.x + start;
  T* y = job.y + start;
  Maximum<T> maximum = {*x};
  for (int64_t begin = 0; begin < length; begin += kAhead) {
    T ahead[kAhead];
#pragma unroll
    for (int k = 0; k < kAhead; ++k) {
      if (begin + k < length) ahead[k] = x[(begin + k) * step];
    }
#pragma unroll
    for (int k = 0; k < kAhead; ++k) {
      if (begin + k < length) {
        maximum.Meet(ahead[k]);
        Deliver(y + (begin + k) * step, Element<T>::Widen(maximum.value), job.accumulate);
      }
    }
  }
}

template <typename T>
__global__ void __launch_bounds__(kThreadsOnColumns) BackwardColumns(Job<T> job) {
  const int64_t start = ColumnStart(job), length = job.shape.height;
  if (start < 0) return;
  const int64_t step = job.direction.from_end ? -job.shape.width : job.shape.width;
  const T *x = job.x + start, *dy = job.dy + start;
  const GiveTo<T> give = {job.dx + start, step, job.accumulate};
  const ZeroIn<T> zero = {job.dx + start, step, job.accumulate};
  Winner<T> winner;
  for (int64_t begin = 0; begin < length; begin += kAhead) {
    T x_ahead[kAhead], dy_ahead[kAhead];
#pragma unroll
    for (int k = 0; k < kAhead; ++k) {
      if (begin + k < length) {
        x_ahead[k] = x[(begin + k) * step];
        dy_ahead[k] = dy[(begin + k) * step];
      }
    }
#pragma unroll
    for (int k = 0; k < kAhead; ++k) {
      if (begin + k < length) winner.Meet(begin + k, x_ahead[k], dy_ahead[k], give, zero);
    }
  }
  give(winner.at, winner.sum);
}

// -- rows --

/*! \brief a piece of 32 rows in shared memory; the odd stride keeps a column of it out of one memory bank */
template <typename T>
struct Tile {
  T elements[kWarp][kWarp + 1];

  /*! \brief columns [begin, begin + steps) of `rows` rows, by the whole warp */
  __device__ __forceinline__ void Load(const T* from, int64_t width, int rows, int steps, int lane) {
    if (lane < steps) {
#pragma unroll 8
      for (int i = 0; i < rows; ++i) elements[i][lane] = from[i * width + lane];
    }
    __syncwarp();
  }

  __device__ __forceinline__ void Store(T* to, int64_t width, int rows, int steps, int lane, bool accumulate) {
    __syncwarp();
    if (lane < steps) {
#pragma unroll 8
      for (int i = 0; i < rows; ++i) Deliver(to + i * width + lane, Element<T>::Widen(elements[i][lane]), accumulate);
    }
    __syncwarp();
  }
};

/*! \brief the 32 rows of a warp */
template <typename T>
struct Rows {
  int64_t first;
  int count, lane;
  __device__ __forceinline__ explicit Rows(const Job<T>& job) {
    const int64_t all = job.shape.planes * job.shape.height;
    first = (blockIdx.x * static_cast<int64_t>(kWarpsOnRows) + threadIdx.x / kWarp) * kWarp;
    count = static_cast<int>(all - first < kWarp ? (all > first ? all - first : 0) : kWarp);
    lane = threadIdx.x % kWarp;
  }
};

/*! \brief where steps [begin, begin + steps) of a scan lie in a row */
__device__ __forceinline__ int64_t Leftmost(Direction direction, int64_t width, int64_t begin, int steps) {
  return direction.from_end ? width - begin - steps : begin;
}

template <typename T>
__global__ void __launch_bounds__(kWarpsOnRows* kWarp) ForwardRows(Job<T> job) {
  __shared__ Tile<T> tiles[kWarpsOnRows];
  Tile<T>& tile = tiles[threadIdx.x / kWarp];
  const Rows<T> rows(job);
  const int64_t width = job.shape.width;
  Maximum<T> maximum;
  for (int64_t begin = 0; begin < width; begin += kWarp) {
    const int steps = static_cast<int>(width - begin < kWarp ? width - begin : kWarp);
    const int64_t at = rows.first * width + Leftmost(job.direction, width, begin, steps);
    tile.Load(job.x + at, width, rows.count, steps, rows.lane);
    if (rows.lane < rows.count) {
      for (int i = 0; i < steps; ++i) {
        T& element = tile.elements[rows.lane][job.direction.from_end ? steps - 1 - i : i];
        if (begin + i == 0) maximum.value = element;
        maximum.Meet(element);
        element = maximum.value;
      }
    }
    tile.Store(job.y + at, width, rows.count, steps, rows.lane, job.accumulate);
  }
}

// The gradient of rows goes to dx itself, not through a tile: a winner may be many tiles back. Zeros, which are most of
// dx, were written row by row before.
template <typename T>
__global__ void __launch_bounds__(kWarpsOnRows* kWarp) BackwardRows(Job<T> job) {
  __shared__ Tile<T> x_tiles[kWarpsOnRows], dy_tiles[kWarpsOnRows];
  Tile<T>&x = x_tiles[threadIdx.x / kWarp], &dy = dy_tiles[threadIdx.x / kWarp];
  const Rows<T> rows(job);
  const int64_t width = job.shape.width, step = job.direction.from_end ? -1 : 1;
  T* line = job.dx + (rows.first + rows.lane) * width + (job.direction.from_end ? width - 1 : 0);
  const GiveTo<T> give = {line, step, job.accumulate};
  const ZeroIn<T> nothing = {line, step, true};
  Winner<T> winner;
  for (int64_t begin = 0; begin < width; begin += kWarp) {
    const int steps = static_cast<int>(width - begin < kWarp ? width - begin : kWarp);
    const int64_t at = rows.first * width + Leftmost(job.direction, width, begin, steps);
    x.Load(job.x + at, width, rows.count, steps, rows.lane);
    dy.Load(job.dy + at, width, rows.count, steps, rows.lane);
    if (!job.accumulate && rows.lane < steps) {
      for (int i = 0; i < rows.count; ++i) job.dx[at + i * width + rows.lane] = Element<T>::Narrow(0);
    }
    __syncwarp();  // the zeros are there before a winner of this tile is
    if (rows.lane < rows.count) {
      for (int i = 0; i < steps; ++i) {
        const int k = job.direction.from_end ? steps - 1 - i : i;
        winner.Meet(begin + i, x.elements[rows.lane][k], dy.elements[rows.lane][k], give, nothing);
      }
    }
    __syncwarp();
  }
  if (rows.lane < rows.count) give(winner.at, winner.sum);
}

/*!
 * \brief does the job on the GPU, in order with what else is on the stream
 * \return what went wrong when the kernel was launched
 */
template <typename T>
cudaError_t RunOnGpu(const Job<T>& job, cudaStream_t stream) {
  if (job.shape.Size() == 0) return cudaSuccess;
  if (job.direction.along_width) {
    const int64_t rows = job.shape.planes * job.shape.height, in_block = kWarpsOnRows * kWarp;
    const unsigned blocks = static_cast<unsigned>((rows + in_block - 1) / in_block);
    if (job.IsBackward()) {
      BackwardRows<<<blocks, kWarpsOnRows * kWarp, 0, stream>>>(job);
    } else {
      ForwardRows<<<blocks, kWarpsOnRows * kWarp, 0, stream>>>(job);
    }
  } else {
    const int64_t columns = job.shape.planes * job.shape.width;
    const unsigned blocks = static_cast<unsigned>((columns + kThreadsOnColumns - 1) / kThreadsOnColumns);
    if (job.IsBackward()) {
      BackwardColumns<<<blocks, kThreadsOnColumns, 0, stream>>>(job);
    } else {
      ForwardColumns<<<blocks, kThreadsOnColumns, 0, stream>>>(job);
    }
  }
  return cudaGetLastError();
}

}  // namespace corner_pool

#endif  // MXNET_OPERATOR_CONTRIB_CORNER_POOL_SCAN_GPU_CUH_
