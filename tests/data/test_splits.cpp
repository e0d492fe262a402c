#include <map>
#include <random>
#include <set>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/data/data.hpp"

namespace {

/// Whether the parts hold 0..rows-1, each once.
template <size_t N>
bool covers(const std::array<mtl::Tensor, N>& parts, int64_t rows) {
  const auto all = torch::cat(std::vector<mtl::Tensor>(parts.begin(), parts.end()));
  return std::get<0>(all.sort()).equal(torch::arange(rows));
}

}  // namespace

TEST_CASE("shuffled_order: pinned, so that batches stay the same on every platform") {
  CHECK(mtl::shuffled_order(8, 0).equal(torch::tensor({0L, 7L, 5L, 6L, 1L, 3L, 2L, 4L})));
  CHECK(mtl::shuffled_order(8, 1, 2).equal(torch::tensor({0L, 2L, 3L, 1L, 5L, 7L, 4L, 6L})));
  CHECK_FALSE(mtl::shuffled_order(50, 0).equal(mtl::shuffled_order(50, 1)));
  CHECK_FALSE(mtl::shuffled_order(50, 0, 0).equal(mtl::shuffled_order(50, 0, 1)));
  CHECK(mtl::shuffled_order(1, 5).equal(torch::tensor({0L})));
  CHECK(mtl::shuffled_order(0, 5).numel() == 0);
}

TEST_CASE("shuffled_order: every order is as likely") {
  std::map<int64_t, int> counts;
  constexpr int draws = 12000;
  for (int i = 0; i < draws; ++i) {
    const auto order = mtl::shuffled_order(4, 11, static_cast<uint64_t>(i));
    ++counts[order[0].item<int64_t>() * 100 + order[1].item<int64_t>() * 10 +
             order[2].item<int64_t>()];
  }
  CHECK(counts.size() == 24);
  double chi_squared = 0;
  for (const auto& [order, count] : counts) {
    chi_squared += (count - draws / 24.0) * (count - draws / 24.0) / (draws / 24.0);
  }
  CHECK(chi_squared < 49.7);  // 23 degrees of freedom, one in a thousand; the seeds are fixed
}

TEST_CASE("chronological_split: contiguous parts at floor(rows * share)") {
  const auto [train, valid] = mtl::chronological_split(2557, {0.7, 0.3});
  CHECK(train.equal(torch::arange(1789)));
  CHECK(valid.equal(torch::arange(1789, 2557)));
  const auto three = mtl::chronological_split(100, {0.7, 0.1, 0.2});
  CHECK(three[0].size(0) == 70);
  CHECK(three[1].size(0) == 10);
  CHECK(covers(three, 100));
}

TEST_CASE("random_split: every row once, the same with the same seed") {
  const auto parts = mtl::random_split(101, {0.5, 0.25, 0.25}, 7);
  CHECK(covers(parts, 101));
  CHECK(parts[0].size(0) == 50);
  CHECK(parts[1].size(0) == 25);
  CHECK(mtl::random_split(101, {0.5, 0.25, 0.25}, 7)[1].equal(parts[1]));
  CHECK_FALSE(mtl::random_split(101, {0.5, 0.25, 0.25}, 8)[1].equal(parts[1]));
  CHECK_FALSE(parts[0].equal(torch::arange(50)));
}

TEST_CASE("stratified_split: each class keeps its shares to within a row, and so does the whole") {
  std::vector<int64_t> labels;
  const std::map<int64_t, int64_t> counts = {{-100, 7}, {0, 61}, {1, 29}, {2, 3}};
  for (const auto& [label, count] : counts)
    labels.insert(labels.end(), static_cast<size_t>(count), label);
  const auto classes = torch::tensor(labels).index_select(0, mtl::shuffled_order(100, 3));
  const auto parts = mtl::stratified_split(classes, {0.6, 0.3, 0.1}, 5);
  CHECK(covers(parts, 100));
  CHECK(parts[0].size(0) == 60);
  CHECK(parts[1].size(0) == 30);
  const std::array shares{0.6, 0.3, 0.1};
  for (const auto& [label, count] : counts) {
    for (size_t part = 0; part < 3; ++part) {
      const auto found = classes.index_select(0, parts[part]).eq(label).sum().item<int64_t>();
      CHECK(std::abs(static_cast<double>(found) - shares[part] * static_cast<double>(count)) <=
            1.0 + 1e-9);
    }
  }
}

TEST_CASE("stratified_split: classes of few rows, however the shares fall") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<int64_t> labels(static_cast<size_t>(5 + random() % 3), 0);
    for (int64_t c = 1; c < 6; ++c) labels.insert(labels.end(), 1 + random() % 4, c);
    std::vector<double> shares = {0.5, 0.1, 0.4};
    if (round % 2 == 1) shares = {0.15, 0.3, 0.15, 0.4};
    const auto classes = torch::tensor(labels);
    const auto parts = mtl::stratified_parts(classes, shares, 5);
    REQUIRE(std::get<0>(torch::cat(parts).sort()).equal(torch::arange(std::ssize(labels))));
    for (int64_t c = 0; c < 6; ++c)
      for (size_t part = 0; part < parts.size(); ++part) {
        const auto all = classes.eq(c).sum().item<int64_t>();
        const auto found = classes.index_select(0, parts[part]).eq(c).sum().item<int64_t>();
        REQUIRE(std::abs(static_cast<double>(found) - shares[part] * static_cast<double>(all)) <=
                1 + 1e-6);
      }
  }
}

TEST_CASE("group_split: a group is in one part") {
  const auto groups = torch::arange(200).remainder(23);
  const auto parts = mtl::group_split(groups, {0.7, 0.3}, 1);
  CHECK(covers(parts, 200));
  std::set<int64_t> first;
  for (int64_t i = 0; i < parts[0].size(0); ++i) first.insert(groups[parts[0][i]].item<int64_t>());
  for (int64_t i = 0; i < parts[1].size(0); ++i) {
    CHECK(first.count(groups[parts[1][i]].item<int64_t>()) == 0);
  }
  CHECK(std::abs(parts[0].size(0) - 140) <= 9);
}

TEST_CASE("splits: shares that give no split are an error") {
  CHECK(contains(error_text([] { mtl::chronological_split(10, {0.7, 0.7}); }), "add up to 1.4"));
  CHECK(contains(error_text([] { mtl::random_split(10, {1.2, -0.2}, 0); }), "share -0.2"));
  CHECK(contains(error_text([] {
                   mtl::chronological_split(2, {0.4, 0.6});
                 }),
                 "part 1 of 2 gets no row"));
  CHECK(contains(error_text([] {
                   mtl::stratified_split(torch::zeros({4}), {0.5, 0.5}, 0);
                 }),
                 "classes must be a vector of integers"));
  CHECK(contains(error_text([] {
                   mtl::group_split(torch::zeros({4}, torch::kInt64), {0.5, 0.5}, 0);
                 }),
                 "gets no row"));
  const std::vector<double> none;
  CHECK(contains(error_text([&] { mtl::random_parts(10, none, 0); }), "no part was asked for"));
  CHECK(contains(error_text([&] { mtl::stratified_parts(torch::arange(4), none, 0); }), "no part"));
  CHECK(contains(error_text([] { mtl::chronological_split(-3, {0.5, 0.5}); }), "no -3 rows"));
  CHECK(contains(error_text([] { mtl::random_split(0, {0.5, 0.5}, 0); }), "part 1 of 2 gets no"));
  CHECK(contains(error_text([] { mtl::random_split(9, {1e300, 0.5}, 0); }), "add up to"));
  CHECK(contains(error_text([] { mtl::random_split(9, {std::nan(""), 0.5}, 0); }), "share nan"));
  CHECK(contains(error_text([] {
                   mtl::stratified_split(mtl::Tensor(), {0.5, 0.5}, 0);
                 }),
                 "classes must be a vector"));
}

TEST_CASE("k_folds: each row is tested once, and never learnt from by its own fold") {
  const auto folds = mtl::k_folds(11, 4, 7);
  REQUIRE(folds.size() == 4);
  std::vector<torch::Tensor> tested;
  for (const mtl::Fold& fold : folds) {
    CHECK(std::get<0>(torch::cat({fold.train, fold.test}).sort()).equal(torch::arange(11)));
    CHECK((fold.test.size(0) == 2 || fold.test.size(0) == 3));
    tested.push_back(fold.test);
  }
  CHECK(std::get<0>(torch::cat(tested).sort()).equal(torch::arange(11)));
  CHECK(mtl::k_folds(11, 4, 7)[1].test.equal(folds[1].test));
  CHECK(contains(error_text([] { mtl::k_folds(3, 4, 0); }), "4 folds of 3 rows"));
  CHECK(contains(error_text([] { mtl::k_folds(3, 1, 0); }), "1 folds"));
}

TEST_CASE(
    "neighbour_folds: each row is tested once, with those of its class that stand beside it") {
  const auto classes = torch::tensor({0L, 1L, 0L, 0L, 0L, 1L, 2L, 0L, 0L, 1L});
  const auto folds = mtl::neighbour_folds(classes, 3);
  REQUIRE(folds.size() == 3);
  std::vector<torch::Tensor> tested;
  for (const mtl::Fold& fold : folds) {
    CHECK(std::get<0>(torch::cat({fold.train, fold.test}).sort()).equal(torch::arange(10)));
    CHECK((fold.train.diff() > 0).all().item<bool>());
    tested.push_back(fold.test);
  }
  CHECK(std::get<0>(torch::cat(tested).sort()).equal(torch::arange(10)));
  // Of class 0 the rows 0, 2 | 3, 4 | 7, 8; of class 1 from the second fold on; 2 in the third.
  CHECK(folds[0].test.equal(torch::tensor({0L, 2L, 9L})));
  CHECK(folds[1].test.equal(torch::tensor({3L, 4L, 1L})));
  CHECK(folds[2].test.equal(torch::tensor({7L, 8L, 5L, 6L})));

  CHECK(mtl::neighbour_folds(torch::tensor({0L, 0L}), 5).size() == 2);  // none is empty
  // A missing label (-100) is as good a class as any.
  CHECK(mtl::neighbour_folds(torch::tensor({-100L, -100L, -100L}), 3)[2].test.equal(
      torch::tensor({0L})));
  CHECK(contains(error_text([&] { mtl::neighbour_folds(classes, 1); }), "1 folds"));
  CHECK(contains(error_text([] {
                   mtl::neighbour_folds(torch::tensor({0L, 3L}), 3);
                 }),
                 "2 rows fill 1 folds"));
  CHECK(contains(error_text([] { mtl::neighbour_folds(torch::rand({4}), 2); }),
                 "classes must be a vector"));
}
