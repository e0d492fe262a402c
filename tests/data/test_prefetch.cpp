#include "catch.hpp"
#include "check_skip.hpp"
#include "error_text.hpp"
#include "mtl/data/loader.hpp"
#include "mtl/data/prefetch.hpp"

namespace {

mtl::TensorDataset counted(int64_t rows) {
  return mtl::TensorDataset({{"x", torch::arange(rows)}}, {{"y", torch::arange(rows) * 2}});
}

/// Counts how many batches were taken from it.
struct Counting {
  mtl::BatchLoader loader;
  int64_t taken = 0;
  int64_t batches() const { return loader.batches(); }
  int64_t samples() const { return loader.samples(); }
  void start_epoch(int64_t epoch) { loader.start_epoch(epoch); }
  bool next(mtl::Batch& batch) {
    const bool found = loader.next(batch);
    taken += found;
    return found;
  }
};

}  // namespace

TEST_CASE("Prefetch: the loader's batches in its order, epoch after epoch") {
  mtl::BatchLoader alone(counted(23), {.batch_size = 5, .shuffle = true, .seed = 3});
  mtl::BatchLoader inner(counted(23), {.batch_size = 5, .shuffle = true, .seed = 3});
  for (const int64_t ahead : {1, 3, 9}) {
    mtl::Prefetch ahead_of(inner, {.device = torch::kCPU, .ahead = ahead});
    CHECK(ahead_of.batches() == 5);
    CHECK(ahead_of.samples() == 23);
    for (const int64_t epoch : {0, 1, 4}) {
      alone.start_epoch(epoch);
      ahead_of.start_epoch(epoch);
      mtl::Batch expected, found;
      while (alone.next(expected)) {
        REQUIRE(ahead_of.next(found));
        CHECK(found.inputs["x"].equal(expected.inputs["x"]));
        CHECK(found.targets["y"].equal(expected.targets["y"]));
        CHECK(found.complete == expected.complete);
      }
      CHECK_FALSE(ahead_of.next(found));
      CHECK_FALSE(ahead_of.next(found));
    }
  }
}

TEST_CASE("Prefetch: reads ahead, and an epoch left early begins anew") {
  Counting inner{mtl::BatchLoader(counted(20), {.batch_size = 4})};
  mtl::Prefetch ahead(inner, {.device = torch::kCPU, .ahead = 2});
  mtl::Batch batch;
  REQUIRE(ahead.next(batch));
  CHECK(inner.taken == 3);  // the one in hand and two on their way
  ahead.start_epoch(0);
  REQUIRE(ahead.next(batch));
  CHECK(batch.inputs["x"].equal(torch::arange(4)));
}

TEST_CASE("Prefetch: skip passes over what is on its way, then over the loader's") {
  mtl::BatchLoader inner(counted(23), {.batch_size = 5, .shuffle = true, .seed = 3});
  for (const int64_t ahead : {1, 3, 9}) {
    mtl::Prefetch loader(inner, {.device = torch::kCPU, .ahead = ahead});
    check_skip(loader, "x");
  }
}

TEST_CASE("Prefetch: keeps a loader that is given to it") {
  mtl::Prefetch own(mtl::BatchLoader(counted(4), {.batch_size = 2}), {.device = torch::kCPU});
  mtl::Batch batch;
  int64_t rows = 0;
  while (own.next(batch)) rows += mtl::size(batch);
  CHECK(rows == 4);
}

TEST_CASE("Prefetch: nothing ahead is an error") {
  mtl::BatchLoader inner(counted(4));
  CHECK(contains(error_text([&] { mtl::Prefetch(inner, {.device = torch::kCPU, .ahead = 0}); }),
                 "ahead is 0, expected at least 1 batch"));
}
