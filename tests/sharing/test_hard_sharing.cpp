#include "catch.hpp"
#include "error_text.hpp"
#include "some_models.hpp"

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

TEST_CASE("HardSharing: an input that a part does not take is an error that names both") {
  mtl::HardSharing model(layer(2, 4), three_tasks(4));
  const auto width = error_text([&] { model->forward({{"x", torch::randn({3, 5})}}); });
  CHECK(contains(width, "the encoder does not take input \"x\" [3, 5] of type Float"));
  CHECK(contains(error_text([&] {
                   model->forward({{"x", torch::ones({3, 2}, torch::kLong)}});
                 }),
                 "the encoder does not take input \"x\" [3, 2] of type Long"));

  mtl::HardSharing wrong_head(layer(2, 5), three_tasks(4));
  CHECK(contains(error_text([&] {
                   wrong_head->forward({{"x", torch::randn({3, 2})}});
                 }),
                 "the head of task \"a\" does not take the representation [3, 5]"));

  mtl::HardSharing normed(torch::nn::BatchNorm1d(2), three_tasks(2));
  const auto one = error_text([&] { normed->forward({{"x", torch::randn({1, 2})}}); });
  CHECK(contains(one, "the encoder does not take input \"x\" [1, 2]"));
  CHECK(contains(one, "drop_last"));
}
