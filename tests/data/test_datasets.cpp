#include <algorithm>
#include <cmath>
#include <set>

#include "catch.hpp"
#include "check_skip.hpp"
#include "error_text.hpp"
#include "mtl/data/data.hpp"

namespace {

const double nan_value = std::nan("");

mtl::TensorDataset numbered(int64_t rows) {
  const auto x = torch::arange(rows, torch::kFloat32);
  return mtl::TensorDataset({{"input", x.unsqueeze(1).repeat({1, 3})}}, {{"t", x * 10}});
}

/// The first column of every batch of an epoch, one after the other.
template <class L>
std::vector<int64_t> rows_of_epoch(L& loader, int64_t epoch) {
  std::vector<int64_t> rows;
  mtl::Batch batch;
  loader.start_epoch(epoch);
  while (loader.next(batch)) {
    REQUIRE(batch.targets["t"].allclose(batch.inputs["input"].select(1, 0) * 10));
    for (int64_t i = 0; i < batch.targets["t"].size(0); ++i) {
      rows.push_back(batch.inputs["input"][i][0].template item<int64_t>());
    }
  }
  return rows;
}

/// A dataset of one's own: no base class, and gathering that is not known to be cheap.
struct Squares {
  int64_t rows;
  int64_t size() const { return rows; }
  mtl::Batch get(const mtl::Tensor& indices) const {
    const auto x = indices.to(torch::kFloat32);
    return {{{"input", x.unsqueeze(1)}}, {{"t", x * 10}}, true};
  }
};

}  // namespace

TEST_CASE("TensorDataset: gathers rows, and knows whether a label is missing") {
  const auto data = numbered(10);
  CHECK(data.size() == 10);
  CHECK(data.complete());
  const auto batch = data.get(torch::tensor({7L, 2L}));
  CHECK(batch.complete);
  CHECK(batch.targets["t"].equal(torch::tensor({70.0f, 20.0f})));
  CHECK(batch.inputs["input"].sizes().vec() == std::vector<int64_t>{2, 3});
  CHECK(data.rows(torch::tensor({7L})).size() == 1);

  const auto with = [](const mtl::Tensor& target) {
    return mtl::TensorDataset({{"x", torch::zeros({3, 2})}}, {{"y", target}});
  };
  const auto real = with(torch::tensor({1.0, nan_value, 2.0}));
  CHECK_FALSE(real.complete());
  CHECK_FALSE(real.get(torch::tensor({0L})).complete);
  CHECK(real.rows(torch::tensor({0L, 2L})).complete());
  CHECK_FALSE(with(torch::tensor({0L, 1L, -100L})).complete());
  CHECK(with(torch::tensor({0L, 1L, 2L})).complete());
  CHECK(with(torch::tensor({true, false, true})).complete());
  CHECK_FALSE(with(torch::tensor({{1.0, 2.0}, {1.0, nan_value}, {1.0, 2.0}})).complete());
}

TEST_CASE("TensorDataset: tensors that do not belong together are an error") {
  const auto error_of = [](mtl::NamedTensors inputs, mtl::NamedTensors targets) {
    return error_text([&] { mtl::TensorDataset(std::move(inputs), std::move(targets)); });
  };
  CHECK(contains(error_of({{"x", torch::zeros({3})}}, {{"y", torch::zeros({4})}}),
                 "target \"y\" has 4 rows, but input \"x\" has 3"));
  CHECK(contains(error_of({{"x", torch::zeros({3})}}, {{"y", torch::Tensor()}}), "is undefined"));
  CHECK(contains(error_of({{"x", torch::tensor(1.0)}}, mtl::NamedTensors()), "is a single number"));
  CHECK(contains(error_of({{"x", torch::zeros({0, 2})}}, mtl::NamedTensors()), "have no rows"));
  CHECK(contains(error_of(mtl::NamedTensors(), mtl::NamedTensors()), "no input tensor"));
}

TEST_CASE("TensorDataset: parts that are not there are an error") {
  const auto data = numbered(10);
  const mtl::WindowDataset windows({{"x", torch::zeros({9, 1})}}, {{"y", torch::zeros({9})}},
                                   {.length = 3});
  const auto part = [&](const mtl::Tensor& indices) {
    const auto text = error_text([&] { data.rows(indices); });
    const auto of_windows = error_text([&] { windows.windows(indices); });
    CHECK(text.empty() == of_windows.empty());
    return text;
  };
  CHECK(contains(part(torch::tensor({3L, 10L})), "TensorDataset: there is no row 10 of 10"));
  CHECK(contains(part(torch::tensor({-1L, 2L})), "there is no row -1 of 10"));
  CHECK(contains(part(torch::empty({0}, torch::kInt64)), "a part without a row"));
  CHECK(contains(part(torch::tensor({1.0})), "indices [n] of kind int64, found [1] of Float"));
  CHECK(contains(part(mtl::Tensor()), "found no tensor"));
}

TEST_CASE("TensorDataset: several inputs, and labels of types that have no missing value") {
  const mtl::TensorDataset data({{"image", torch::rand({4, 3, 2})}, {"age", torch::rand({4})}},
                                {{"grade", torch::full({4}, 156, torch::kByte)}});
  CHECK(data.complete());
  mtl::BatchLoader loader(data, {.batch_size = 3});
  mtl::Batch batch;
  REQUIRE(loader.next(batch));
  CHECK(batch.inputs["image"].equal(data.inputs()["image"].slice(0, 0, 3)));
  CHECK(batch.inputs["age"].equal(data.inputs()["age"].slice(0, 0, 3)));

  const mtl::WindowDataset windows({{"a", torch::rand({6, 2})}, {"b", torch::rand({6})}},
                                   {{"y", torch::rand({6})}}, {.length = 3, .horizon = 0});
  const auto all = windows.get(torch::arange(4));
  CHECK(all.inputs["a"].sizes().vec() == std::vector<int64_t>{4, 3, 2});
  CHECK(all.inputs["b"].sizes().vec() == std::vector<int64_t>{4, 3});
}

TEST_CASE("BatchLoader: a dataset that gives other rows than it was asked for is an error") {
  struct Short {
    bool targets_too;
    int64_t size() const { return 10; }
    mtl::Batch get(const mtl::Tensor& indices) const {
      const auto x = torch::zeros({indices.size(0) - (targets_too ? 1 : 0), 2});
      return {{{"x", x}}, {{"y", torch::zeros({indices.size(0) - 1})}}, true};
    }
  };
  mtl::Batch batch;
  CHECK(contains(error_text([&] { mtl::BatchLoader(Short{true}, {.batch_size = 4}).next(batch); }),
                 "was asked for 4 rows and gave input \"x\" of shape [3, 2]"));
  CHECK(contains(error_text([&] { mtl::BatchLoader(Short{false}, {.batch_size = 4}).next(batch); }),
                 "gave target \"y\" of shape [3]"));
}

TEST_CASE("TensorDataset: joined has the rows of both, or says what does not fit") {
  const auto both = numbered(3).joined(numbered(2));
  CHECK(both.targets()["t"].equal(torch::tensor({0.f, 10.f, 20.f, 0.f, 10.f})));
  const auto x = torch::zeros({2, 3});
  const auto weighted = [&](const mtl::Tensor& weights) {
    return mtl::TensorDataset({{"input", x}}, {{"t", torch::zeros({2})}}, weights);
  };
  CHECK(weighted(torch::ones({2})).joined(weighted(torch::ones({2}))).sample_weights().size(0) ==
        4);
  const auto error = [](const mtl::TensorDataset& first, const mtl::TensorDataset& second) {
    return error_text([&] { first.joined(second); });
  };
  CHECK(contains(error(numbered(3), weighted(torch::ones({2}))), "[undefined] and [2]"));
  CHECK(contains(error(numbered(3), mtl::TensorDataset({{"input", x}})), "1 and 0 tensors"));
  const auto with_input = [&](const char* name, const mtl::Tensor& input) {
    return mtl::TensorDataset({{name, input}}, {{"t", torch::zeros({input.size(0)})}});
  };
  CHECK(contains(error(numbered(3), with_input("other", x)), "no \"input\""));
  CHECK(contains(error(numbered(3), with_input("input", x.t())), "[3, 3] and [3, 2]"));
}

TEST_CASE("BatchLoader: what a transform draws depends on seed and epoch only") {
  const auto loader = [](uint64_t seed) {
    return mtl::BatchLoader(
        numbered(10),
        {.batch_size = 4, .seed = seed, .transform = [](mtl::Batch& batch, auto& generator) {
           batch.inputs["input"] = torch::rand({4}, generator);
         }});
  };
  const auto drawn = [](mtl::BatchLoader from, int64_t epoch) {
    from.start_epoch(epoch);
    std::vector<mtl::Tensor> all;
    for (mtl::Batch batch; from.next(batch);) all.push_back(batch.inputs["input"]);
    return torch::cat(all);
  };
  const auto first = drawn(loader(1), 3);
  CHECK(first.numel() == 12);
  CHECK_FALSE(first.slice(0, 0, 4).equal(first.slice(0, 4, 8)));
  auto used = loader(1);
  drawn(used, 0);
  torch::rand({3});
  CHECK(drawn(used, 3).equal(first));
  CHECK_FALSE(drawn(loader(1), 4).equal(first));
  CHECK_FALSE(drawn(loader(2), 3).equal(first));
  CHECK(contains(loader(1).text(), "transformed with seed 1"));
}

TEST_CASE("BatchLoader: every row once an epoch, in order or shuffled") {
  std::vector<int64_t> all(10);
  std::iota(all.begin(), all.end(), 0);

  mtl::BatchLoader plain(numbered(10), {.batch_size = 4});
  CHECK(plain.batches() == 3);
  CHECK(plain.samples() == 10);
  CHECK(rows_of_epoch(plain, 0) == all);
  CHECK(rows_of_epoch(plain, 5) == all);

  mtl::BatchLoader shuffled(numbered(10), {.batch_size = 4, .shuffle = true});
  auto rows = rows_of_epoch(shuffled, 0);
  CHECK(rows != all);
  std::sort(rows.begin(), rows.end());
  CHECK(rows == all);

  mtl::BatchLoader dropping(numbered(10), {.batch_size = 4, .drop_last = true});
  CHECK(dropping.batches() == 2);
  CHECK(dropping.samples() == 8);
  CHECK(rows_of_epoch(dropping, 0).size() == 8);
}

TEST_CASE("BatchLoader: the order of an epoch depends on seed and epoch only") {
  const mtl::BatchLoader::Options options{.batch_size = 8, .shuffle = true, .seed = 3};
  mtl::BatchLoader one(numbered(100), options), two(numbered(100), options);
  const auto first = rows_of_epoch(one, 0), second = rows_of_epoch(one, 1);
  CHECK(first != second);
  torch::rand({3});  // draws by others change nothing
  CHECK(rows_of_epoch(two, 1) == second);
  CHECK(rows_of_epoch(two, 0) == first);

  auto other = options;
  other.seed = 4;
  mtl::BatchLoader three(numbered(100), other);
  CHECK(rows_of_epoch(three, 0) != first);

  // gathered batch by batch: the same order
  mtl::BatchLoader own(Squares{100}, options);
  CHECK(rows_of_epoch(own, 1) == second);
}

TEST_CASE("BatchLoader: behind a transform labels may be missing, unless it says that none is") {
  const mtl::TensorDataset data({{"x", torch::zeros({4})}}, {{"t", torch::ones({4})}});
  const auto of = [&](bool says) {
    mtl::BatchLoader loader(data, {.transform = [says](mtl::Batch& batch, auto&) {
                              if (says)
                                batch.complete = true;
                              else
                                batch.targets["t"][1] = std::nan("");
                            }});
    mtl::Batch batch;
    loader.next(batch);
    return batch;
  };
  CHECK_FALSE(of(false).complete);
  CHECK(of(true).complete);
}

TEST_CASE("BatchLoader: skip passes over batches, with what their transform draws") {
  const mtl::TensorDataset data({{"x", torch::randn({23, 2})}}, {{"y", torch::randn({23})}});
  mtl::BatchLoader::Options options{.batch_size = 4, .shuffle = true, .seed = 3};
  mtl::BatchLoader whole(data, options);
  check_skip(whole, "x");
  options.drop_last = true;
  options.transform = [](mtl::Batch& batch, torch::Generator& generator) {
    batch.inputs["x"] = batch.inputs["x"] * torch::randn({1}, generator);
  };
  mtl::BatchLoader transformed(data, options);
  check_skip(transformed, "x");
  mtl::BatchLoader fresh(data, {.batch_size = 4});
  fresh.skip(5);
  mtl::Batch batch;
  REQUIRE(fresh.next(batch));
  CHECK(batch.targets["y"].size(0) == 3);
}

TEST_CASE("BatchLoader: begins at epoch 0 by itself, and says when an epoch is over") {
  mtl::BatchLoader loader(numbered(5), {.batch_size = 3, .shuffle = true, .seed = 1});
  mtl::Batch batch;
  CHECK(loader.next(batch));
  const auto first = batch.targets["t"].clone();
  CHECK(loader.next(batch));
  CHECK(batch.targets["t"].size(0) == 2);
  CHECK_FALSE(loader.next(batch));
  CHECK_FALSE(loader.next(batch));
  loader.start_epoch(0);
  CHECK(loader.next(batch));
  CHECK(batch.targets["t"].equal(first));
}

TEST_CASE("BatchLoader: batches of an epoch share one tensor, and writing to them spoils nothing") {
  const auto data = numbered(6);
  for (const bool shuffle : {false, true}) {
    mtl::BatchLoader loader(data, {.batch_size = 2, .shuffle = shuffle});
    mtl::Batch first, second;
    REQUIRE(loader.next(first));
    REQUIRE(loader.next(second));
    CHECK(first.inputs["input"].storage().data() == second.inputs["input"].storage().data());
    CHECK(first.inputs["input"].storage().data() != data.inputs()["input"].storage().data());
    first.inputs["input"].fill_(-1);
    const auto rows = rows_of_epoch(loader, 0);
    CHECK(std::find(rows.begin(), rows.end(), -1) == rows.end());
  }
}

TEST_CASE("BatchLoader: a batch of other names is replaced") {
  mtl::BatchLoader loader(numbered(4), {.batch_size = 2});
  mtl::Batch batch{{{"other", torch::zeros({1})}}, mtl::NamedTensors(), false};
  REQUIRE(loader.next(batch));
  CHECK(batch.inputs.size() == 1);
  CHECK(batch.inputs.contains("input"));
  CHECK(batch.targets.contains("t"));
  CHECK(batch.complete);
}

TEST_CASE("BatchLoader: options that give no batch are an error") {
  CHECK(contains(error_text([] { mtl::BatchLoader(numbered(3), {.batch_size = 0}); }),
                 "batch_size is 0"));
  CHECK(contains(
      error_text([] { mtl::BatchLoader(numbered(3), {.batch_size = 4, .drop_last = true}); }),
      "3 samples make no full batch of 4"));
  CHECK(contains(error_text([] { mtl::BatchLoader(Squares{0}); }), "no samples"));
}

TEST_CASE("Loader: what a training loop asks for") {
  STATIC_REQUIRE(mtl::Loader<mtl::BatchLoader>);
  STATIC_REQUIRE_FALSE(mtl::Loader<mtl::TensorDataset>);
  STATIC_REQUIRE(mtl::Dataset<mtl::WindowDataset>);
}

TEST_CASE("WindowDataset: the same windows as a loop over rows") {
  const int64_t rows = 30, length = 5, horizon = 2;
  const auto x = torch::rand({rows, 3}), y = torch::rand({rows});
  const mtl::WindowDataset windows({{"x", x}}, {{"y", y}}, {.length = length, .horizon = horizon});
  REQUIRE(windows.size() == rows - length - horizon + 1);
  const auto batch = windows.get(torch::arange(windows.size()));
  CHECK(batch.complete);
  for (int64_t i = 0; i < windows.size(); ++i) {
    CHECK(batch.inputs["x"][i].equal(x.slice(0, i, i + length)));
    CHECK(batch.targets["y"][i].equal(y[i + length - 1 + horizon]));
  }
  const auto some = windows.get(torch::tensor({9L, 0L}));
  CHECK(some.inputs["x"].equal(batch.inputs["x"].index_select(0, torch::tensor({9L, 0L}))));

  const auto part = windows.windows(torch::arange(4, 10));
  CHECK(part.size() == 6);
  CHECK(part.get(torch::tensor({0L})).inputs["x"][0].equal(x.slice(0, 4, 9)));
}

TEST_CASE("WindowDataset: the article's 14 days and the next") {
  const mtl::WindowDataset train({{"x", torch::zeros({1789, 10})}}, {{"y", torch::zeros({1789})}});
  CHECK(train.size() == 1775);
  const mtl::WindowDataset last({{"x", torch::zeros({14, 2})}}, {{"y", torch::ones({14})}},
                                {.length = 14, .horizon = 0});
  CHECK(last.size() == 1);
}

TEST_CASE("WindowDataset: no window reaches across a gap") {
  std::vector<int64_t> days;
  for (int64_t day = 100; day < 140; ++day) {
    if (day != 110 && day != 111 && day != 130) days.push_back(day);
  }
  const auto positions = torch::tensor(days);
  const auto x = positions.to(torch::kFloat64).unsqueeze(1);
  const mtl::WindowDataset windows({{"x", x}}, {{"y", x.squeeze(1)}}, {.length = 4, .horizon = 1},
                                   positions);
  const auto batch = windows.get(torch::arange(windows.size()));

  std::vector<int64_t> expected;
  for (size_t i = 0; i + 4 < days.size(); ++i) {
    bool whole = true;
    for (size_t k = 0; k < 4; ++k) whole = whole && days[i + k + 1] == days[i + k] + 1;
    if (whole) expected.push_back(static_cast<int64_t>(i));
  }
  CHECK(windows.starts().equal(torch::tensor(expected)));
  CHECK((batch.targets["y"] - batch.inputs["x"].select(1, 0).squeeze(1)).eq(4).all().item<bool>());
}

TEST_CASE("WindowDataset: knows of missing labels where a window has its target") {
  auto y = torch::zeros({10}, torch::kFloat64);
  y[2] = nan_value;  // no window of 4 rows ends before it
  const auto x = torch::zeros({10, 1});
  CHECK(mtl::WindowDataset({{"x", x}}, {{"y", y}}, {.length = 4}).complete());
  y[7] = nan_value;
  const mtl::WindowDataset windows({{"x", x}}, {{"y", y}}, {.length = 4});
  CHECK_FALSE(windows.complete());
  CHECK_FALSE(windows.get(torch::tensor({0L})).complete);
  CHECK(windows.windows(torch::arange(3)).complete());
}

TEST_CASE("WindowDataset: what cannot be windows is an error") {
  const auto make = [](int64_t rows, mtl::WindowDataset::Options options,
                       const mtl::Tensor& positions = {}) {
    return error_text([&] {
      mtl::WindowDataset({{"x", torch::zeros({rows, 2})}}, {{"y", torch::zeros({rows})}}, options,
                         positions);
    });
  };
  CHECK(contains(make(14, {}),
                 "a window of 14 rows and a target 1 rows on fit nowhere into 14 rows"));
  CHECK(contains(make(9, {.length = 0}), "length is 0"));
  CHECK(contains(make(9, {.length = INT64_MAX, .horizon = INT64_MAX}), "fit nowhere into 9 rows"));
  CHECK(contains(make(9, {.length = 9, .horizon = 1}), "fit nowhere into 9 rows"));
  CHECK(contains(make(3, {.length = 2}, torch::tensor({1L, 3L, 5L})), "with these gaps"));
  CHECK(contains(make(3, {.length = 2}, torch::tensor({1L, 3L, 3L})), "row 2 has 3 after 3"));
  CHECK(contains(make(3, {.length = 2}, torch::tensor({1L, 2L})), "must be int64 [3]"));
}

TEST_CASE("WindowDataset: a loader gathers windows like rows") {
  const auto x = torch::arange(20, torch::kFloat32);
  const mtl::WindowDataset windows({{"input", x.unsqueeze(1)}}, {{"t", x}}, {.length = 3});
  mtl::BatchLoader loader(windows, {.batch_size = 6, .shuffle = true});
  CHECK(loader.samples() == 17);
  mtl::Batch batch;
  while (loader.next(batch)) {
    CHECK(batch.inputs["input"].sizes().slice(1).vec() == std::vector<int64_t>{3, 1});
    CHECK(batch.targets["t"].equal(batch.inputs["input"].select(1, 2).squeeze(1) + 1));
  }
}

TEST_CASE("TensorDataset: joined labels of two types: what is missing stays missing") {
  const auto x = torch::zeros({2, 1});
  const mtl::TensorDataset whole({{"x", x}}, {{"y", torch::tensor({1, -100}, torch::kLong)}});
  const mtl::TensorDataset real({{"x", x}}, {{"y", torch::tensor({0.5, std::nan("")})}});
  for (const auto& both : {whole.joined(real), real.joined(whole)}) {
    const auto y = both.targets()["y"];
    CHECK(y.is_floating_point());
    CHECK(y.isnan().sum().item<int64_t>() == 2);
    CHECK(y.nansum().item<double>() == 1.5);
    CHECK_FALSE(both.complete());
  }
}

TEST_CASE("TensorDataset: what requires a gradient is an error that says how to give it") {
  const auto features = torch::ones({4, 2}).requires_grad_() * 2;
  CHECK(contains(error_text([&] {
                   mtl::TensorDataset({{"x", features}});
                 }),
                 "input \"x\" requires a gradient"));
  CHECK(contains(error_text([&] {
                   mtl::TensorDataset({{"x", torch::ones({4})}}, {{"y", features}});
                 }),
                 "target \"y\" requires a gradient"));
  CHECK(mtl::TensorDataset({{"x", features.detach()}}).size() == 4);
}
