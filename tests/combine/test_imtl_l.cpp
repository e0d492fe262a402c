#include "loss_checks.hpp"

using namespace loss_checks;

TEST_CASE("ImtlL: golden values and gradients") {
  for_each_golden_case("imtl_l", [](const TaskLosses& losses, const nlohmann::json& expected) {
    ImtlL imtl_l;
    imtl_l.load_state_dict(named("log_scale", tensor_of(expected["log_scale"])));
    check_step(imtl_l, losses, expected);
  });
}

TEST_CASE("ImtlL: an absent task has no term and no gradient, and its number rests") {
  ImtlL combiner(3);
  const std::vector<Tensor> parameters = combiner.parameters();
  torch::optim::Adam adam(parameters, torch::optim::AdamOptions(0.1));
  combiner.combine(constant_losses({0.7, 3.0, 2.1})).backward();
  adam.step();
  const double before = parameters[1].item<double>();
  CHECK(before != 0);
  for (int step = 0; step < 5; ++step) {
    for (const Tensor& parameter : parameters) parameter.mutable_grad().reset();
    combiner.combine(only(constant_losses({0.7, 3.0, 2.1}), {0, 2})).backward();
    CHECK_FALSE(parameters[1].grad().defined());
    adam.step();
  }
  CHECK(parameters[1].item<double>() == before);
  CHECK(parameters[0].item<double>() != before);
}

TEST_CASE("ImtlL: a state is one tensor, and one from before the first step is one too") {
  ImtlL combiner(2);
  combiner.load_state_dict(named("log_scale", torch::tensor({0.5, -0.25}, torch::kDouble)));
  check_close(combiner.state_dict()["log_scale"], torch::tensor({0.5, -0.25}, torch::kDouble));
  CHECK(combiner.parameters()[1].item<double>() == -0.25);
  check_resume([] { return std::make_unique<ImtlL>(); });
  check_resume([] { return std::make_unique<ImtlL>(3); });
  CHECK(contains(error_text([&] { combiner.load_state_dict(named("logits", torch::zeros({2}))); }),
                 "no \"log_scale\""));
  CHECK(contains(
      error_text([&] { combiner.load_state_dict(named("log_scale", torch::zeros({3}))); }), "[3]"));
  CHECK(combiner.parameters()[1].item<double>() == -0.25);
}

TEST_CASE("ImtlL: what it is watched by stands still with the losses") {
  ImtlL combiner(2);
  const TaskLosses losses = constant_losses({2.0, 4.0});
  CHECK(combiner.total(losses).item<double>() == 6);
  combiner.load_state_dict(named("log_scale", torch::tensor({1.0, -3.0})));
  CHECK(combiner.total(losses).item<double>() == 6);
}

TEST_CASE("ImtlL: a negative loss, an unknown count, another one") {
  ImtlL combiner;
  CHECK(contains(error_text([&] { combiner.parameters(); }), "how many tasks"));
  const std::string text = error_text([&] { combiner.combine(constant_losses({1.0, -0.5})); });
  CHECK(contains(text, "task \"1\": its loss is -0.5, but imtl_l needs losses that are not below"));
  CHECK(combiner.state_dict()["log_scale"].numel() == 0);
  CHECK(std::isfinite(combiner.combine(constant_losses({1.0, 0.0})).item<double>()));
  CHECK(combiner.parameters().size() == 2);
  CHECK(contains(error_text([&] {
                   combiner.combine(constant_losses({1.0, 1.0, 1.0}));
                 }),
                 "2 tasks, but there are 3"));
  CHECK(contains(error_text([&] { combiner.set_task_count(3); }), "2 tasks, but there are 3"));
}
