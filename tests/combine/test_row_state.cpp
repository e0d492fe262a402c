#include "mtl/combine/gradients/row_state.hpp"

#include <torch/types.h>

#include "catch.hpp"
#include "error_text.hpp"

TEST_CASE("RowState: what was saved is there again under the same prefix") {
  mtl::RowState kept;
  kept.at(1, 2, torch::zeros({3})).fill_(7);
  mtl::NamedTensors state;
  kept.save(state, "rows");
  state.insert("rowsum.0.0", torch::zeros({1}));  // another part's, which begins alike
  mtl::RowState loaded;
  loaded.load(state, "rows");
  CHECK(mtl::RowState::names(state, "rows") == std::vector<std::string>{"rows.1.2"});
  CHECK(torch::equal(loaded.at(1, 2, torch::zeros({3})), torch::full({3}, 7.f)));
}

TEST_CASE("RowState: a name that is no place is an error, not memory") {
  for (const char* place : {"1", "1.", ".2", "a.b", "1.2.3", "1.-2", "-1.2", "1.2x",
                            "99999999999.0", "0.99999999999", "99999999999999999999999.1", ""}) {
    INFO(place);
    mtl::NamedTensors state;
    state.insert("rows." + std::string(place), torch::zeros({1}));
    mtl::RowState rows;
    const std::string text = error_text([&] { rows.load(state, "rows"); });
    CHECK(contains(text, "rows.<parameter>.<task>"));
  }
}

TEST_CASE("RowState: what is kept follows the gradient's type, and refuses another shape") {
  mtl::RowState kept;
  kept.at(0, 0, torch::zeros({2, 3})).fill_(0.5);
  const torch::Tensor there = kept.at(0, 0, torch::zeros({2, 3}, torch::kDouble));
  CHECK(torch::equal(there, torch::full({2, 3}, 0.5, torch::kDouble)));
  const std::string text = error_text([&] { kept.at(0, 0, torch::zeros({3})); });
  CHECK(contains(text, "parameter 0: what is kept for it has shape [2, 3], its gradient [3]"));
}

TEST_CASE("RowState: what is loaded has no graph") {
  mtl::RowState rows;
  mtl::NamedTensors state;
  state.insert("mean.0.0", torch::ones({2}).requires_grad_());
  rows.load(state, "mean");
  CHECK_FALSE(rows.at(0, 0, torch::zeros({2})).requires_grad());
}
