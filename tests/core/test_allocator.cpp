#include "mtl/core/allocator.hpp"

#include <sys/resource.h>

#include <cstdlib>

#include <catch.hpp>

#include "mtl/core/tensor.hpp"

#ifdef __SANITIZE_THREAD__
constexpr bool other_allocator = true;  // the sanitizer's
#else
constexpr bool other_allocator = false;
#endif

TEST_CASE("tune_allocator: large blocks that were freed are used again without new pages") {
  if (!mtl::tune_allocator() || other_allocator) {
    SUCCEED("another allocator than glibc's");
    return;
  }
  const auto faults = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
  };
  const auto fill = [] { return torch::ones({16 << 20}); };  // 64 MiB: 16384 pages
  // glibc 2.36 sets the ends of the first aligned blocks aside, one block after the other, before
  // it uses one again.
  for (int i = 0; i < 16; ++i) fill();
  const auto before = faults();
  fill();
  CHECK(faults() - before < 1000);
}
