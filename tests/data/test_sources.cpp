#include <algorithm>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "check_skip.hpp"
#include "error_text.hpp"
#include "mtl/data/loader.hpp"
#include "mtl/data/prefetch.hpp"
#include "mtl/data/sources.hpp"

namespace {

/// `rows` rows that hold `first`, `first` + 1, ... in batches of 2.
mtl::BatchLoader rows_from(int64_t first, int64_t rows, bool shuffle = true) {
  return mtl::BatchLoader(
      mtl::TensorDataset({{"x", torch::arange(first, first + rows)}}),
      {.batch_size = 2, .shuffle = shuffle, .seed = static_cast<uint64_t>(first)});
}

/// Sources "a", "b", ... of so many batches: the rows of the first are 0.., of the second 1000..
std::vector<mtl::Source> sources_of(const std::vector<int64_t>& batches, bool shuffle = true) {
  std::vector<mtl::Source> sources;
  for (size_t s = 0; s < batches.size(); ++s)
    sources.push_back(
        {.name = std::string(1, static_cast<char>('a' + s)),
         .loader = rows_from(static_cast<int64_t>(1000 * s), 2 * batches[s], shuffle)});
  return sources;
}

/// The rows of the rest of the epoch.
template <class L>
std::vector<int64_t> rows_left(L& loader) {
  std::vector<int64_t> rows;
  mtl::Batch batch;
  while (loader.next(batch))
    for (int64_t i = 0; i < mtl::size(batch); ++i)
      rows.push_back(batch.inputs["x"][i].template item<int64_t>());
  return rows;
}

template <class L>
std::vector<int64_t> rows_drawn_in(L& loader, int64_t epoch) {
  loader.start_epoch(epoch);
  return rows_left(loader);
}

/// Whose batches they are: "aab..."
std::string whose_turns(const std::vector<int64_t>& rows) {
  std::string text;
  for (size_t i = 0; i < rows.size(); i += 2) text += static_cast<char>('a' + rows[i] / 1000);
  return text;
}

std::vector<int64_t> counts_of(const mtl::Sources& sources) {
  std::vector<int64_t> counts;
  const auto drawn = sources.per_epoch();
  for (const auto& source : drawn) counts.push_back(source.batches);
  return counts;
}

std::vector<int64_t> in_order(std::vector<int64_t> rows) {
  std::sort(rows.begin(), rows.end());
  return rows;
}

}  // namespace

TEST_CASE("Sources: proportionally, every sample comes once an epoch, in an order of its own") {
  mtl::Sources sources(sources_of({5, 2}), {.seed = 1});
  CHECK(sources.batches() == 7);
  CHECK(sources.samples() == 14);
  const auto first = rows_drawn_in(sources, 0), second = rows_drawn_in(sources, 1);
  std::vector<int64_t> all{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1000, 1001, 1002, 1003};
  CHECK(in_order(first) == all);
  CHECK(in_order(second) == all);
  CHECK(whose_turns(first) != whose_turns(second));
  CHECK(first != second);
}

TEST_CASE("Sources: in turn until the largest ends, the smaller begins again in a new order") {
  mtl::Sources sources(sources_of({6, 2}), {.sampling = mtl::Sampling::in_turn()});
  const auto rows = rows_drawn_in(sources, 0);
  CHECK(whose_turns(rows) == "abababababab");
  std::vector<std::vector<int64_t>> passes(3);
  for (size_t i = 0; i < 12; i += 2)
    for (size_t row : {2 * i + 2, 2 * i + 3}) passes[i / 4].push_back(rows[row]);
  for (const auto& pass : passes)
    CHECK(in_order(pass) == std::vector<int64_t>{1000, 1001, 1002, 1003});
  CHECK((passes[0] != passes[1] || passes[1] != passes[2]));
}

TEST_CASE("Sources: until the smallest ends, the larger goes on in the next epoch where it stood") {
  for (const bool shuffle : {false, true}) {
    mtl::Sources sources(sources_of({5, 2}, shuffle), {.sampling = mtl::Sampling::in_turn(),
                                                       .until = mtl::Sources::Until::first_ended});
    CHECK(counts_of(sources) == std::vector<int64_t>{2, 2});
    std::map<int64_t, int64_t> seen;
    for (int64_t epoch = 0; epoch < 5; ++epoch) {
      const auto rows = rows_drawn_in(sources, epoch);
      for (const int64_t row : rows) ++seen[row];
    }
    for (int64_t row = 0; row < 10; ++row) CHECK(seen[row] == 2);
    for (int64_t row = 1000; row < 1004; ++row) CHECK(seen[row] == 5);
  }
}

TEST_CASE("Sources: shares, temperature and a number of batches give counts that are exact") {
  const auto counts = [](mtl::Sources::Options options) {
    return counts_of(mtl::Sources(sources_of({64, 16, 4}), std::move(options)));
  };
  // Square roots 8, 4, 2; until the largest has been through: 64 / (8 / 14) = 112.
  CHECK(counts({.sampling = mtl::Sampling::temperature(2)}) == std::vector<int64_t>{64, 32, 16});
  CHECK(counts({.sampling = mtl::Sampling::temperature(1)}) == std::vector<int64_t>{64, 16, 4});
  CHECK(counts({.sampling = mtl::Sampling::temperature(std::numeric_limits<double>::infinity())}) ==
        std::vector<int64_t>{64, 64, 64});
  // So cold that only the largest is drawn: an Error, and no power of 64 that is infinite.
  const auto cold = mtl::Sampling::temperature(0.001);
  CHECK(cold.of({64, 16, 64}) == std::vector<double>{0.5, 0, 0.5});
  CHECK(contains(
      error_text([&] { counts({.sampling = cold, .until = mtl::Sources::Until::first_ended}); }),
      "\"b\" has a share of less than one batch"));
  CHECK(counts({.sampling = mtl::Sampling::temperature(2),
                .until = mtl::Sources::Until::first_ended}) == std::vector<int64_t>{16, 8, 4});
  CHECK(counts({.sampling = mtl::Sampling::shares({1, 2, 1}), .batches = 10}) ==
        std::vector<int64_t>{3, 5, 2});
  CHECK(counts({.sampling = mtl::Sampling::shares({1, 8, 1}),
                .until = mtl::Sources::Until::first_ended}) == std::vector<int64_t>{2, 16, 2});
}

TEST_CASE("Sources: without shuffling they are spread evenly over the epoch") {
  mtl::Sources sources(sources_of({6, 2}), {.shuffle = false});
  CHECK(whose_turns(rows_drawn_in(sources, 0)) == "aabaaaba");
}

TEST_CASE("Sources: what an epoch gives depends on the seeds and its number only") {
  const auto make = [](uint64_t seed) {
    return mtl::Sources(sources_of({5, 3}), {.sampling = mtl::Sampling::temperature(2),
                                             .until = mtl::Sources::Until::first_ended,
                                             .seed = seed});
  };
  auto steady = make(1), other_seed = make(2), jumping = make(1);
  std::vector<std::vector<int64_t>> epochs;
  for (int64_t epoch = 0; epoch < 4; ++epoch) epochs.push_back(rows_drawn_in(steady, epoch));
  CHECK(rows_left(jumping) == epochs[0]);  // a new one stands at epoch 0
  CHECK(rows_drawn_in(jumping, 3) == epochs[3]);
  jumping.start_epoch(2);
  mtl::Batch batch;
  REQUIRE(jumping.next(batch));
  CHECK(rows_drawn_in(jumping, 1) == epochs[1]);
  bool differs = false;
  for (int64_t epoch = 0; epoch < 4; ++epoch)
    differs =
        differs || whose_turns(rows_drawn_in(other_seed, epoch)) != whose_turns(epochs[epoch]);
  CHECK(differs);
}

TEST_CASE("Sources: a place within the epoch is reached without reading what comes before") {
  const auto make = [] {
    return mtl::Sources(sources_of({5, 2, 1}), {.sampling = mtl::Sampling::temperature(3)});
  };
  auto whole = make();
  const auto rows = rows_drawn_in(whole, 2);
  for (const int64_t place : {int64_t{0}, int64_t{1}, int64_t{7}, whole.batches()}) {
    auto skipping = make();
    skipping.start_epoch(2);
    skipping.skip(place);
    CHECK(rows_left(skipping) == std::vector<int64_t>(rows.begin() + 2 * place, rows.end()));
  }
}

TEST_CASE("Sources: pass over batches, alone and through Prefetch") {
  mtl::Sources alone(sources_of({5, 2}), {.sampling = mtl::Sampling::temperature(2)});
  check_skip(alone, "x");
  mtl::Prefetch ahead(mtl::Sources(sources_of({5, 2})), {.device = torch::kCPU, .ahead = 2});
  check_skip(ahead, "x");
}

TEST_CASE("Sources: through Prefetch they are the same") {
  mtl::Sources alone(sources_of({5, 2}));
  mtl::Prefetch ahead(mtl::Sources(sources_of({5, 2})), {.device = torch::kCPU, .ahead = 3});
  for (const int64_t epoch : {0, 1, 3})
    CHECK(rows_drawn_in(ahead, epoch) == rows_drawn_in(alone, epoch));
  CHECK(ahead.per_epoch().size() == 2);
  CHECK(ahead.text() == alone.text());
}

TEST_CASE("Sources: a source's weight multiplies the sample weights of its batches") {
  const auto x = torch::arange(2);
  mtl::BatchLoader plain{mtl::TensorDataset({{"x", x}})};
  mtl::BatchLoader weighted{
      mtl::TensorDataset({{"x", x}}, mtl::NamedTensors(), torch::tensor({1.0, 3.0}))};
  mtl::Sources sources({{.name = "plain", .loader = plain, .weight = 0.5},
                        {.name = "weighted", .loader = weighted, .weight = 2},
                        {.name = "as it is", .loader = plain}},
                       {.sampling = mtl::Sampling::in_turn()});
  mtl::Batch batch;
  REQUIRE(sources.next(batch));
  CHECK(batch.sample_weights.equal(torch::tensor({0.5f, 0.5f})));
  REQUIRE(sources.next(batch));
  CHECK(batch.sample_weights.equal(torch::tensor({2.0, 6.0})));
  REQUIRE(sources.next(batch));
  CHECK_FALSE(batch.sample_weights.defined());
}

TEST_CASE("Sources: a loader that fills in less than another's batch had leaves nothing of it") {
  struct Bare {
    bool ended = false;
    int64_t batches() const { return 1; }
    int64_t samples() const { return 2; }
    void start_epoch(int64_t) { ended = false; }
    bool next(mtl::Batch& batch) {
      if (std::exchange(ended, true)) return false;
      batch.inputs = {{"x", torch::zeros({2})}};
      return true;
    }
  };
  const auto x = torch::arange(2);
  mtl::BatchLoader weighted{mtl::TensorDataset({{"x", x}}, {{"t", x}}, torch::tensor({1.0, 3.0}))};
  mtl::Sources sources({{.name = "a", .loader = weighted},
                        {.name = "b", .loader = Bare()},
                        {.name = "c", .loader = Bare(), .weight = 0.5},
                        {.name = "d", .loader = Bare(), .weight = 0.5}},
                       {.sampling = mtl::Sampling::in_turn()});
  mtl::Batch batch;
  REQUIRE((sources.next(batch) && sources.next(batch)));
  CHECK(batch.targets.is_empty());
  CHECK_FALSE(batch.complete);
  CHECK_FALSE(batch.sample_weights.defined());
  for (int i = 0; i < 2; ++i) {
    REQUIRE(sources.next(batch));
    CHECK(batch.sample_weights.equal(torch::tensor({0.5f, 0.5f})));
  }
}

TEST_CASE("Sources: the text tells how they are drawn, how often, and what they are made of") {
  const mtl::Sources sources(sources_of({4, 1}),
                             {.sampling = mtl::Sampling::temperature(2), .seed = 7});
  const auto text = sources.text();
  CHECK(contains(text, "drawn at temperature 2, order of seed 7"));
  CHECK(contains(text, "\"a\" 4 batches an epoch of 4 (batches of 2, shuffled with seed 0"));
  CHECK(contains(text, "\"b\" 2 batches an epoch of 1 (batches of 2, shuffled with seed 1000"));
}

TEST_CASE("Sources: what is wrong is named") {
  const auto error = [](std::vector<mtl::Source> sources, mtl::Sources::Options options = {}) {
    return error_text([&] { mtl::Sources(std::move(sources), std::move(options)); });
  };
  CHECK(contains(error({}), "there is no source"));
  CHECK(contains(
      error({{.name = "a", .loader = rows_from(0, 2)}, {.name = "a", .loader = rows_from(0, 2)}}),
      "two sources are called \"a\""));
  CHECK(contains(error({{.name = "a", .loader = rows_from(0, 2), .weight = 0}}),
                 "source \"a\" has weight 0"));
  CHECK(contains(error(sources_of({1, 1}), {.sampling = mtl::Sampling::shares({1})}),
                 "found 1 shares for 2 sources"));
  CHECK(contains(error(sources_of({1, 1}), {.sampling = mtl::Sampling::shares({1, 1e-12})}),
                 "for source \"b\" an epoch has"));
  CHECK(contains(error(sources_of({1}), {.batches = -1}), "found batches -1"));
  CHECK(contains(error(sources_of({1}), {.batches = int64_t{1} << 40}), "expected at most"));
  CHECK(contains(error(sources_of({1000, 1}), {.batches = 10}),
                 "\"b\" has a share of less than one batch in the 10"));
  CHECK(contains(error_text([] { mtl::Sampling::shares({1, 0}); }), "found a share of 0"));
  CHECK(contains(error_text([] { mtl::Sampling::temperature(0); }), "found temperature 0"));

  struct Short {
    int64_t batches() const { return 3; }
    int64_t samples() const { return 3; }
    void start_epoch(int64_t) {}
    bool next(mtl::Batch&) { return false; }
  };
  mtl::Sources sources({{.name = "short", .loader = Short()}});
  CHECK(contains(error_text([&] { rows_left(sources); }), "\"short\" gave 0 of its 3 batches"));
}
