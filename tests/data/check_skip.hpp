#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "catch.hpp"
#include "mtl/core/batch.hpp"

/// After skip(n) come the batches that come after n have been read, wherever in an epoch.
template <class L>
void check_skip(L& loader, const std::string& input) {
  const auto rest = [&] {
    std::vector<torch::Tensor> batches;
    for (mtl::Batch batch; loader.next(batch);) batches.push_back(batch.inputs[input].clone());
    return batches;
  };
  loader.start_epoch(2);
  const auto all = rest();
  REQUIRE(all.size() > 2);
  for (size_t read = 0; read < 2; ++read)
    for (size_t skipped = 0; skipped <= all.size() + 1; ++skipped) {
      INFO("read " << read << ", skipped " << skipped);
      loader.start_epoch(2);
      for (mtl::Batch batch; read > 0 && loader.next(batch);) break;
      loader.skip(static_cast<int64_t>(skipped));
      const auto found = rest();
      const size_t passed = std::min(read + skipped, all.size());
      REQUIRE(found.size() == all.size() - passed);
      for (size_t b = 0; b < found.size(); ++b) CHECK(found[b].equal(all[passed + b]));
    }
}
