#include "error_text.hpp"
#include "way_checks.hpp"

namespace {

mtl::TaskAdapters adapted_model(const std::vector<std::string>& tasks) {
  return mtl::TaskAdapters({{tanh_layer(2, 3)}, {tanh_layer(3, 5), 5}, {tanh_layer(5, 4), 4}},
                           tasks_named(tasks),
                           {.bottleneck = 2, .activation = mtl::nn::Activation::tanh});
}

}  // namespace

TEST_CASE("TaskAdapters: predictions and gradients are the formula's, also of one task") {
  check_golden("task_adapters", *adapted_model({"a", "b", "c"}));
  check_golden("task_adapters", *adapted_model({"a"}));
}

TEST_CASE("TaskAdapters: 2 c b + c + b parameters an adapter, as the paper counts") {
  auto model = adapted_model({"a", "b", "c"});
  check_ownership(*model);
  CHECK(element_count(model->task_parameters("b")) ==
        (2 * 5 * 2 + 5 + 2) + (2 * 4 * 2 + 4 + 2) + (4 + 1));
  CHECK_FALSE(model->representation().defined());
  check_copies(model);
}

TEST_CASE("TaskAdapters: begins as hard sharing; after the last stage, one representation") {
  const auto stage = tanh_layer(2, 4);
  mtl::TaskAdapters model({{stage, 4}}, tasks_named({"a", "b"}));
  const auto x = torch::randn({3, 2});
  const auto hidden = mtl::Encoder(stage).forward(x);
  CHECK(model->forward({{"x", x}})["b"].equal(model->tasks()[1].head.forward(hidden)));
  CHECK(model->representation().equal(hidden));
}

TEST_CASE("TaskAdapters: on pictures an adapter works on the channels of each pixel") {
  mtl::TaskAdapters model({{torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 3, 3)), 3}},
                          {{.name = "map",
                            .head = torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 1, 1)),
                            .loss = mtl::MeanSquaredError{}}},
                          {.bottleneck = 2});
  move_weights(*model);
  const auto x = torch::randn({2, 1, 5, 5});
  const auto whole = model->forward({{"x", x}})["map"];
  CHECK(whole.sizes() == torch::IntArrayRef({2, 1, 3, 3}));
  const auto corner = model->forward({{"x", x.slice(2, 0, 3).slice(3, 0, 3)}})["map"];
  CHECK(corner.flatten().allclose(whole.select(3, 0).select(2, 0).flatten(), 1e-4, 1e-4));
}

TEST_CASE("TaskAdapters: stages and options that do not fit are errors") {
  const auto text = [](std::vector<mtl::TaskAdapters::Stage> stages, int64_t bottleneck = 2) {
    return error_text([&] {
      mtl::TaskAdapters(std::move(stages), tasks_named({"a"}), {.bottleneck = bottleneck})
          ->forward({{"x", torch::randn({3, 2})}});
    });
  };
  CHECK(contains(text({}), "no stage"));
  CHECK(contains(text({{tanh_layer(2, 4), 4}}, 0), "bottleneck 0"));
  CHECK(contains(text({{tanh_layer(2, 4), -1}}), "found -1 channels after stage 0"));
  CHECK(contains(text({{tanh_layer(2, 4), 3}}),
                 "stage 0 gives [3, 4], and was said to have 3 channels"));
  const auto one = tanh_layer(2, 2);
  CHECK(contains(text({{one}, {one}}), "stages 0 and 1 are one module"));
}
