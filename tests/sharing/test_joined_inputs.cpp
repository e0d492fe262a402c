#include "error_text.hpp"
#include "way_checks.hpp"

namespace {

mtl::JoinedInputs picture_and_table() {
  return {{{"picture", tanh_layer(5, 3)}, {"table", torch::nn::Identity()}},
          mtl::HardSharing(tanh_layer(5, 4), tasks_named({"a", "b"}))};
}

}  // namespace

TEST_CASE("JoinedInputs: the model sees the encoders' outputs side by side") {
  torch::manual_seed(1);
  const mtl::nn::MlpEncoder picture = tanh_layer(5, 3), behind = tanh_layer(5, 4);
  const mtl::TaskRegistry tasks = tasks_named({"a", "b"});
  mtl::JoinedInputs model({{"picture", picture}, {"table", torch::nn::Identity()}},
                          mtl::HardSharing(behind, tasks));
  const torch::Tensor x = torch::randn({4, 5}), t = torch::randn({4, 2});
  // The order in the batch does not matter, nor do inputs that nobody reads.
  const auto p = model->forward({{"table", t}, {"other", t}, {"picture", x}});
  const auto hidden = behind.ptr()->forward(torch::cat({picture.ptr()->forward(x), t}, 1));
  CHECK(p["b"].equal(tasks.at("b").head.forward(hidden)));
  CHECK(model->representation().equal(hidden));
  CHECK(model->task_parameters("a").size() == 2);
  CHECK(model->shared_parameters().size() == 4);
  const auto names = model->named_parameters().keys();
  CHECK(std::count_if(names.begin(), names.end(), [](const std::string& name) {
          return name.starts_with("inputs.picture.");
        }) == 2);
}

TEST_CASE("JoinedInputs: a clone goes its own way; encoders belong to one model") {
  torch::manual_seed(2);
  auto model = picture_and_table();
  const mtl::NamedTensors x = {{"picture", torch::randn({3, 5})}, {"table", torch::randn({3, 2})}};
  auto copy = mtl::clone(model);
  CHECK(copy->forward(x)["a"].equal(model->forward(x)["a"]));
  move_weights(*copy);
  CHECK_FALSE(copy->forward(x)["a"].equal(model->forward(x)["a"]));
  CHECK_NOTHROW(model->parameter_sets());
  const mtl::nn::MlpEncoder taken = tanh_layer(2, 4);
  const mtl::HardSharing other(taken, tasks_named({"a"}));
  CHECK(contains(
      error_text([&] {
        mtl::JoinedInputs({{"x", taken}}, mtl::HardSharing(tanh_layer(4, 4), tasks_named({"a"})));
      }),
      "belongs to another model already"));
}

TEST_CASE("JoinedInputs: missing inputs and outputs that do not fit are Errors") {
  auto model = picture_and_table();
  const torch::Tensor x = torch::randn({4, 5});
  CHECK(contains(error_text([&] { model->forward({{"picture", x}}); }), "no input \"table\""));
  CHECK(contains(error_text([&] {
                   model->forward({{"picture", x}, {"table", x.slice(0, 1)}});
                 }),
                 "the encoder of input \"table\" gives [3, 5], that of \"picture\" [4, 3]"));
  CHECK(contains(error_text([&] {
                   model->forward({{"picture", x.t()}, {"table", x}});
                 }),
                 "input \"picture\""));
  const auto made_of = [](std::vector<mtl::JoinedInputs::Input> inputs) {
    return error_text([&] {
      mtl::JoinedInputs(std::move(inputs), mtl::HardSharing(tanh_layer(2, 4), tasks_named({"a"})));
    });
  };
  CHECK(contains(made_of({}), "there is no input"));
  CHECK(contains(made_of({{"", tanh_layer(2, 2)}}), "input 0 has no name"));
  CHECK(contains(made_of({{"x", tanh_layer(2, 2)}, {"x", tanh_layer(2, 2)}}),
                 "two encoders for input \"x\""));
  CHECK(contains(made_of({{"x", mtl::Encoder()}}), "\"inputs.x\" is missing"));
}

TEST_CASE("JoinedInputs: one encoder of two inputs is one in a clone, too") {
  const mtl::nn::MlpEncoder both = tanh_layer(5, 3);
  mtl::JoinedInputs model({{"left", both}, {"right", both}},
                          mtl::HardSharing(tanh_layer(6, 4), tasks_named({"a", "b"})));
  auto copy = mtl::clone(model);
  CHECK(copy->inputs()[0].encoder.module() == copy->inputs()[1].encoder.module());
  CHECK(copy->inputs()[0].encoder.module() != both.ptr());
  CHECK(copy->parameters().size() == model->parameters().size());
}

TEST_CASE("JoinedInputs: inputs whose names would stand in each other are Errors") {
  const auto fault = [](const std::string& first, const std::string& second) {
    return error_text([&] {
      mtl::JoinedInputs({{first, torch::nn::Linear(5, 3)}, {second, torch::nn::Linear(5, 3)}},
                        mtl::HardSharing(tanh_layer(6, 4), tasks_named({"a"})));
    });
  };
  CHECK(fault("a.b", "a.c").empty());
  CHECK(contains(fault("a", "a.b"),
                 "\"inputs.a.b\" would stand within its part \"inputs.a\"; rename"));
  CHECK(contains(fault("a", "a.weight"), "would stand within its part \"inputs.a\""));
  CHECK(contains(fault("a.b", "a"), "two parts \"inputs.a\""));
  CHECK(contains(fault("a", "b."), "\"inputs.b.\" has a name with an empty segment"));
}
