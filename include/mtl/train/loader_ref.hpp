#pragma once

#include <concepts>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include "mtl/data/loader.hpp"
#include "mtl/data/sampling.hpp"
#include "mtl/train/distributed/processes.hpp"

namespace mtl {

/// Somebody's loader, its type forgotten. Does not own it: one made in the call itself lives as
/// long as the call.
struct LoaderRef {
  template <class L>
  requires(!std::same_as<std::remove_cvref_t<L>, LoaderRef> && Loader<std::remove_reference_t<L>>)
      LoaderRef(L&& loader)
      : batches([&loader]() -> int64_t { return loader.batches(); }),
        samples([&loader]() -> int64_t { return loader.samples(); }),
        start_epoch([&loader](int64_t epoch) { loader.start_epoch(epoch); }),
        next([&loader](Batch& batch) -> bool { return loader.next(batch); }),
        skip([&loader](int64_t count) {
          if constexpr (requires { loader.skip(count); }) {
            loader.skip(count);
          } else {
            for (Batch passed; count > 0 && loader.next(passed); --count) passed = Batch();
          }
        }),
        text([&loader]() -> std::string {
          if constexpr (requires { std::string(loader.text()); }) return loader.text();
          return {};
        }),
        per_epoch([&loader]() -> std::vector<DrawnSource> {
          if constexpr (requires { loader.per_epoch(); }) return loader.per_epoch();
          return {};
        }),
        next_share([&loader](Batch& batch, const Processes& processes) -> bool {
          // Not "-> std::convertible_to<bool>": clang 16 does not survive that here.
          if constexpr (requires { bool(loader.next_share(batch, 0, 1)); }) {
            return loader.next_share(batch, processes.rank(), processes.count());
          } else {
            if (!loader.next(batch)) return false;
            batch = processes.share(batch);
            return true;
          }
        }) {}

  std::function<int64_t()> batches, samples;
  std::function<void(int64_t)> start_epoch;
  std::function<bool(Batch&)> next;
  std::function<void(int64_t)> skip;  // passes over batches
  std::function<std::string()> text;  // what makes its batches; empty: it does not say
  std::function<std::vector<DrawnSource>()> per_epoch;       // of several sources; empty: it is one
  std::function<bool(Batch&, const Processes&)> next_share;  // of the next batch, one process's
};

}  // namespace mtl
