// Everything that depends on the instruction set, compiled once for each with RECSYS_LEVEL naming it.
#include "solve.h"
#include "topk.h"

namespace RECSYS_LEVEL {

static bool supported() {
#if defined(__AVX512F__)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("fma");
#elif defined(__AVX2__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
#else
    return true;
#endif
}

extern const Level level;
const Level level = {RECSYS_LEVEL_NAME, kPanel, supported, gram, rotate, solve, solve_together, best};

}  // namespace RECSYS_LEVEL
