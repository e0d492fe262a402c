#include "mtl/core/allocator.hpp"

#include <sys/resource.h>

#include <cstdlib>

#include <catch.hpp>

#include "mtl/core/tensor.hpp"

TEST_CASE("tune_allocator: a large block that was freed is used again without new pages") {
  if (!mtl::tune_allocator()) {
    SUCCEED("another C library than glibc");
    return;
  }
  const auto faults = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
  };
  const auto fill = [] { return torch::ones({16 << 20}); };  // 64 MiB: 16384 pages
  fill();
  const auto before = faults();
  fill();
  CHECK(faults() - before < 1000);
}
