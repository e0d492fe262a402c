#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/data/splits/k_folds.hpp"
#include "mtl/evaluate/cross_validation.hpp"

using mtl::evaluate::RowPredictions;

TEST_CASE("Cross-validation: answers of all folds come back in the order of the rows") {
  const torch::Tensor target = torch::arange(11, torch::kDouble), weights = target / 10;
  std::vector<RowPredictions> parts;
  for (const mtl::Fold& fold : mtl::k_folds(11, 3, 5)) {
    const torch::Tensor shuffled = fold.test.flip(0);  // a part's own order does not matter
    const torch::Tensor truth = target.index_select(0, shuffled);
    parts.push_back(
        {shuffled, {{{"t", -truth}}, {{"t", truth}}, weights.index_select(0, shuffled)}});
  }
  const RowPredictions all = mtl::evaluate::in_row_order(parts);
  CHECK(all.rows.equal(torch::arange(11)));
  CHECK(all.predictions.targets["t"].equal(target));
  CHECK(all.predictions.predictions["t"].equal(-target));
  CHECK(all.predictions.sample_weights.equal(weights));
}

TEST_CASE("Cross-validation: a row that was answered twice, or a part without a task, is named") {
  const torch::Tensor rows = torch::arange(3), x = torch::ones({3});
  const RowPredictions one{rows, {{{"t", x}}, {{"t", x}}}};
  const auto error_of = [](std::vector<RowPredictions> parts) {
    return error_text([&] { mtl::evaluate::in_row_order(parts); });
  };
  CHECK(contains(error_of({}), "no predictions"));
  CHECK(contains(error_of({one, one}), "answered twice"));
  CHECK(contains(error_of({one, {rows + 3, {{{"u", x}}, {{"t", x}}}}}), "\"t\" is not there"));
}

TEST_CASE("Cross-validation: answers of parts that are longer are filled up, targets as missing") {
  const auto part = [](const torch::Tensor& rows, int64_t length) {
    mtl::evaluate::RowPredictions found{rows, {}};
    found.predictions.predictions.insert("a", torch::ones({rows.size(0), 2, length}));
    found.predictions.targets.insert("a", torch::ones({rows.size(0), length}, torch::kLong));
    return found;
  };
  const auto all =
      mtl::evaluate::in_row_order({part(torch::tensor({0, 2}), 3), part(torch::tensor({1}), 4)});
  CHECK(all.predictions.predictions["a"].sizes() == torch::IntArrayRef({3, 2, 4}));
  CHECK(all.predictions.targets["a"].select(1, 3).equal(torch::tensor({-100, 1, -100})));
}
