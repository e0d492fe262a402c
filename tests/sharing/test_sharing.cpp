#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/core/core.hpp"
#include "mtl/nn/nn.hpp"
#include "mtl/sharing/sharing.hpp"

namespace {

torch::Tensor squared_error(const torch::Tensor& p, const torch::Tensor& t) {
  return (p.squeeze(1) - t).square();
}

mtl::TaskRegistry three_tasks(int64_t width) {
  mtl::TaskRegistry tasks;
  for (const char* name : {"a", "b", "c"})
    tasks.add({.name = name, .head = mtl::nn::LinearHead(width, 1), .loss = squared_error});
  return tasks;
}

mtl::nn::MlpEncoder layer(int64_t in, int64_t out) {
  return mtl::nn::MlpEncoder({.input_size = in, .hidden_sizes = {out}});
}

}  // namespace

TEST_CASE("HardSharing: each head sees the encoder's output; parameters are shared or a task's") {
  mtl::HardSharing model(layer(2, 4), three_tasks(4));
  const auto x = torch::randn({3, 2});
  const auto out = model->forward({{"x", x}});
  REQUIRE(out.size() == 3);
  CHECK(out.keys() == std::vector<std::string>{"a", "b", "c"});
  CHECK(out["b"].allclose(model->tasks().at("b").head.forward(model->representation())));
  CHECK(model->shared_parameters().size() == 2);
  CHECK(model->task_parameters("c").size() == 2);
  CHECK(model->named_parameters().contains("encoder.layers.0.weight"));
  CHECK(model->named_parameters().contains("heads.c.weight"));
}

TEST_CASE(
    "HardSharing: reads the input it was told, and says which there are when it is not there") {
  mtl::HardSharing model(layer(2, 4), three_tasks(4), "x");
  const auto x = torch::randn({3, 2});
  CHECK(model->forward({{"y", torch::randn({3, 9})}, {"x", x}})["a"].size(0) == 3);
  CHECK(contains(error_text([&] {
                   model->forward({{"y", x}, {"z", x}});
                 }),
                 "no input \"x\" in the batch; it has: y, z"));
  mtl::HardSharing untold(layer(2, 4), three_tasks(4));
  CHECK(contains(error_text([&] { untold->forward({{"y", x}, {"z", x}}); }), "2 inputs"));
}

TEST_CASE("Branched: tasks part at the stem; a branch of one task belongs to it") {
  mtl::Branched model(layer(2, 4), {{layer(4, 5), {"a", "c"}}, {layer(4, 5), {"b"}}},
                      three_tasks(5));
  const auto out = model->forward({{"x", torch::randn({3, 2})}});
  CHECK(out.size() == 3);
  CHECK(model->parameters().size() == 12);
  CHECK(model->shared_parameters().size() == 4);   // stem, and the branch of a and c
  CHECK(model->task_parameters("b").size() == 4);  // its head and its branch
  const auto gradient = torch::autograd::grad({out["b"].sum()}, model->task_parameters("b"));
  for (const auto& g : gradient) CHECK(g.defined());
}

TEST_CASE("Branched: a task in no branch, in two, or unknown is an error") {
  const auto text = [](std::vector<mtl::Branched::Branch> branches) {
    return error_text([&] { mtl::Branched(layer(2, 4), std::move(branches), three_tasks(5)); });
  };
  CHECK(contains(text({{layer(4, 5), {"a", "b"}}}), "task \"c\" is in no branch"));
  CHECK(contains(text({{layer(4, 5), {"a", "b"}}, {layer(4, 5), {"b", "c"}}}),
                 "task \"b\" is in branches 0 and 1"));
  CHECK(
      contains(text({{layer(4, 5), {"a", "b", "c", "d"}}}), "no task \"d\"; registered: a, b, c"));
  CHECK(
      contains(text({{layer(4, 5), {"a", "b", "c"}}, {layer(4, 5), {}}}), "branch 1 has no tasks"));
}

TEST_CASE("Model: no task, or a task without a head, is an error") {
  CHECK_THROWS_AS(mtl::HardSharing(layer(2, 4), mtl::TaskRegistry()), mtl::Error);
  mtl::TaskRegistry tasks;
  tasks.add({.name = "a", .loss = squared_error});
  CHECK(contains(error_text([&] { mtl::HardSharing(layer(2, 4), tasks); }),
                 "task \"a\" has no head"));
}
