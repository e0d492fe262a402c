#include "error_text.hpp"
#include "way_checks.hpp"

namespace {

mtl::Film film_model(const std::vector<std::string>& tasks) {
  return mtl::Film({{tanh_layer(2, 3)}, {tanh_layer(3, 5), 5}, {tanh_layer(5, 4), 4}},
                   tasks_named(tasks));
}

}  // namespace

TEST_CASE("Film: predictions and gradients are the formula's, also of one task") {
  check_golden("film", *film_model({"a", "b", "c"}));
  check_golden("film", *film_model({"a"}));
}

TEST_CASE("Film: a task has two numbers a modulated channel, stages are shared") {
  auto model = film_model({"a", "b", "c"});
  check_ownership(*model);
  CHECK(element_count(model->task_parameters("b")) == 2 * (5 + 4) + (4 + 1));
  CHECK(element_count(model->shared_parameters()) == (2 * 3 + 3) + (3 * 5 + 5) + (5 * 4 + 4));
  CHECK_FALSE(model->representation().defined());
  check_copies(model);
}

TEST_CASE("Film: begins as hard sharing; modulated last, all tasks see one representation") {
  const auto stage = tanh_layer(2, 4);
  mtl::Film model({{stage, 4}}, tasks_named({"a", "b"}));
  const auto x = torch::randn({3, 2});
  const auto hidden = mtl::Encoder(stage).forward(x);
  CHECK(model->forward({{"x", x}})["b"].equal(model->tasks()[1].head.forward(hidden)));
  CHECK(model->representation().equal(hidden));
}

TEST_CASE("Film: pictures, two numbers a channel") {
  mtl::Film model({{torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 3, 3)), 3}},
                  {{.name = "map",
                    .head = torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 1, 1)),
                    .loss = mtl::MeanSquaredError{}}});
  CHECK(model->forward({{"x", torch::randn({2, 1, 5, 5})}})["map"].sizes() ==
        torch::IntArrayRef({2, 1, 3, 3}));
  CHECK(model->task_parameters("map").size() == 4);
}

TEST_CASE("Film: stages that do not fit are errors") {
  const auto text = [](std::vector<mtl::Film::Stage> stages) {
    return error_text([&] {
      mtl::Film(std::move(stages), tasks_named({"a"}))->forward({{"x", torch::randn({3, 2})}});
    });
  };
  CHECK(contains(text({}), "no stage"));
  CHECK(contains(text({{tanh_layer(2, 4), -1}}), "found -1 channels after stage 0"));
  CHECK(contains(text({{tanh_layer(2, 4), 3}}),
                 "stage 0 gives [3, 4], and was said to have 3 channels"));
  const auto one = tanh_layer(2, 2);
  CHECK(contains(text({{one}, {one}}), "stages 0 and 1 are one module"));
  CHECK(contains(text({{mtl::Encoder()}}), "\"stages.0\" is missing"));
}
