#include "error_text.hpp"
#include "way_checks.hpp"

namespace {

using Penalty = mtl::SoftSharing::Penalty;

mtl::SoftSharing soft_model(const std::vector<std::string>& tasks, Penalty penalty,
                            double strength = 0.3) {
  return mtl::SoftSharing(
      mtl::several(static_cast<int64_t>(tasks.size()), [] { return tanh_layer(2, 4); }),
      tasks_named(tasks), {.penalty = penalty, .strength = strength});
}

}  // namespace

TEST_CASE("SoftSharing: predictions, penalties and gradients are the formula's") {
  for (const auto& [name, penalty] : {std::pair{"soft_l2", Penalty::l2},
                                      {"soft_l1", Penalty::l1},
                                      {"soft_trace_norm", Penalty::trace_norm}}) {
    auto model = soft_model({"a", "b", "c"}, penalty);
    check_golden(name, *model);
    check_golden_penalty(name, *model, model->penalty());
  }
}

TEST_CASE("SoftSharing: nothing is shared, every encoder is its task's") {
  auto model = soft_model({"a", "b", "c"}, Penalty::l2);
  check_ownership(*model);
  CHECK(model->shared_parameters().empty());
  CHECK(element_count(model->task_parameters("b")) == (2 * 4 + 4) + (4 + 1));
  CHECK_FALSE(model->representation().defined());
  check_copies(model);
}

TEST_CASE("SoftSharing: equal encoders cost nothing under l1 and l2; one task has no penalty") {
  for (const Penalty penalty : {Penalty::l1, Penalty::l2}) {
    auto model = soft_model({"a", "b"}, penalty);
    for (const auto& encoder : model->encoders()) {
      torch::NoGradGuard no_grad;
      for (auto& parameter : encoder.module()->parameters()) parameter.fill_(0.5);
    }
    CHECK(model->penalty().item<double>() == 0);
  }
  auto one = soft_model({"a"}, Penalty::trace_norm);
  CHECK(one->penalty().item<double>() == 0);
  const auto x = torch::randn({3, 2});
  CHECK(one->forward({{"x", x}})["a"].equal(
      one->tasks()[0].head.forward(one->encoders()[0].forward(x))));
}

TEST_CASE("SoftSharing: the penalty draws the encoders together, beside any combiner's step") {
  auto model = soft_model({"a", "b", "c"}, Penalty::l2, 1.0);
  const auto before = model->penalty().item<double>();
  mtl::Sum sum;
  torch::optim::SGD sgd(model->parameters(), 0.05);
  const mtl::Batch batch{
      {{"x", torch::randn({8, 2})}},
      {{"a", torch::randn({8})}, {"b", torch::randn({8})}, {"c", torch::randn({8})}}};
  for (int step = 0; step < 50; ++step) {
    sgd.zero_grad();
    sum.backward(mtl::task_losses(*model, model->forward(batch.inputs), batch), model);
    model->penalty().backward();
    sgd.step();
  }
  CHECK(model->penalty().item<double>() < 0.1 * before);
}

TEST_CASE(
    "SoftSharing: the penalty of one task, and of frozen encoders, can be gone back through") {
  for (const auto penalty : {mtl::SoftSharing::Penalty::l2, mtl::SoftSharing::Penalty::l1,
                             mtl::SoftSharing::Penalty::trace_norm}) {
    mtl::SoftSharing one({tanh_layer(2, 4)}, tasks_named({"a"}), {.penalty = penalty});
    one->penalty().backward();
    mtl::SoftSharing two(mtl::several(2, [] { return tanh_layer(2, 4); }), tasks_named({"a", "b"}),
                         {.penalty = penalty});
    two->to(torch::kBFloat16);
    two->penalty().backward();
    for (const torch::Tensor& parameter : two->encoders()[0].module()->parameters())
      CHECK(parameter.grad().defined());
    for (torch::Tensor& parameter : two->parameters()) parameter.set_requires_grad(false);
    const auto frozen = two->penalty();
    frozen.backward();
    CHECK(frozen.item<double>() > 0);
  }
}

TEST_CASE("SoftSharing: encoders that do not fit are errors") {
  const auto text = [](std::vector<mtl::Encoder> encoders, double strength = 1) {
    return error_text([&] {
      mtl::SoftSharing(std::move(encoders), tasks_named({"a", "b"}), {.strength = strength});
    });
  };
  const auto one = tanh_layer(2, 4);
  CHECK(contains(text({one}), "found 1 encoders for 2 tasks"));
  CHECK(contains(text({one, one}), "encoders 0 and 1 are one module"));
  CHECK(contains(text({tanh_layer(2, 4), tanh_layer(3, 4)}),
                 "\"layers.0.weight\" has shape [4, 3] in the encoder of task \"b\" and [4, 2]"));
  CHECK(contains(text({tanh_layer(2, 4), torch::nn::Linear(2, 4)}),
                 "the encoder of task \"b\" has other parameters"));
  CHECK(contains(text({tanh_layer(2, 4), tanh_layer(2, 4)}, -1), "strength -1"));
  CHECK(contains(text({tanh_layer(2, 4), mtl::Encoder()}), "\"encoders.b\" is missing"));
}
