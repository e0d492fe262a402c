#pragma once

#include <functional>

#include "mtl/data/loader.hpp"

namespace mtl {

/// Somebody's loader, its type forgotten. Does not own it.
struct LoaderRef {
  template <Loader L>
  LoaderRef(L& loader)
      : batches([&loader]() -> int64_t { return loader.batches(); }),
        samples([&loader]() -> int64_t { return loader.samples(); }),
        start_epoch([&loader](int64_t epoch) { loader.start_epoch(epoch); }),
        next([&loader](Batch& batch) -> bool { return loader.next(batch); }) {}

  std::function<int64_t()> batches, samples;
  std::function<void(int64_t)> start_epoch;
  std::function<bool(Batch&)> next;
};

}  // namespace mtl
