// A C interface to the loops of each instruction set, for test_instruction_sets.py.
#include "corner_pool_scan.h"

using namespace corner_pool;

namespace {

bool Has(int set) {
#if defined(__x86_64__)
  if (set == 1) return HasAvx2();
  if (set == 2) return HasAvx512();
#endif
  return set == 0;
}

template <typename T>
Worker<T> WorkerOf(int set) {
#if defined(__x86_64__)
  if (set == 1) return avx2::MakeWorker<T>();
  if (set == 2) return avx512::MakeWorker<T>();
#endif
  (void)set;
  return baseline::MakeWorker<T>();
}

template <typename T>
void Run(int set, Direction direction, Shape shape, const void* dy, const void* x, void* out, bool accumulate,
         bool stream) {
  const T* input = static_cast<const T*>(x);
  T* output = static_cast<T*>(out);
  RunOnCpu(dy == nullptr ? ForwardJob(direction, shape, input, output, accumulate)
                         : BackwardJob(direction, shape, static_cast<const T*>(dy), input, output, accumulate),
           2, WorkerOf<T>(set), stream);
}

}  // namespace

extern "C" {

int has_instruction_set(int set) { return Has(set); }

// out is y where dy is null, else dx; type: 0 float32, 1 float64, 2 float16
void run_on_cpu(int set, int pool, int type, int64_t planes, int64_t height, int64_t width, const void* dy,
                const void* x, void* out, int accumulate, int stream) {
  const Direction directions[] = {Top(), Bottom(), Left(), Right()};
  const Shape shape = {planes, height, width};
  if (type == 0) Run<float>(set, directions[pool], shape, dy, x, out, accumulate, stream);
  if (type == 1) Run<double>(set, directions[pool], shape, dy, x, out, accumulate, stream);
  if (type == 2) Run<Half>(set, directions[pool], shape, dy, x, out, accumulate, stream);
}

}  // extern "C"
