#include "error_text.hpp"
#include "way_checks.hpp"

namespace {

mtl::Sluice sluice_model(const std::vector<std::string>& tasks, mtl::Sluice::Options options = {}) {
  return mtl::Sluice(mtl::several(static_cast<int64_t>(tasks.size()),
                                  [] {
                                    return mtl::Stages{tanh_layer(2, 4), tanh_layer(4, 4)};
                                  }),
                     tasks_named(tasks), options);
}

}  // namespace

TEST_CASE("Sluice: predictions, penalty and gradients are the formula's, also of one task") {
  for (const auto& tasks : {std::vector<std::string>{"a", "b", "c"}, {"a"}}) {
    auto model = sluice_model(tasks, {.strength = 0.3});
    check_golden("sluice", *model);
    check_golden_penalty("sluice", *model, model->penalty());
  }
}

TEST_CASE("Sluice: betas and the last alphas are the tasks', all else but heads is shared") {
  auto model = sluice_model({"a", "b", "c"});
  check_ownership(*model);
  CHECK(element_count(model->task_parameters("b")) == 2 * (3 * 2) + 2 + (4 + 1));
  CHECK(element_count(model->shared_parameters()) == 3 * (12 + 20) + 3 * 2 * (3 * 2));
  check_copies(model);
}

TEST_CASE("Sluice: begins with each subspace and the last stage nearly by themselves") {
  auto model = sluice_model({"a", "b"}, {.own = 0.7, .last = 0.8});
  const auto weights = model->named_parameters();
  CHECK(weights["alphas.0.b"].allclose(
      torch::tensor({{0.1, 0.1, 0.7, 0.1}, {0.1, 0.1, 0.1, 0.7}}).to(torch::kFloat)));
  CHECK(weights["betas.a"].allclose(torch::tensor({0.2, 0.8}).to(torch::kFloat)));
}

TEST_CASE("Sluice: one task, one subspace and one stage are an encoder and a head") {
  const auto stage = tanh_layer(2, 4);
  mtl::Sluice model({{stage}}, tasks_named({"a"}), {.subspaces = 1});
  const auto x = torch::randn({3, 2});
  CHECK(model->forward({{"x", x}})["a"].allclose(
      model->tasks()[0].head.forward(mtl::Encoder(stage).forward(x))));
}

TEST_CASE("Sluice: without subspaces to keep apart the penalty is 0 and can be gone back through") {
  mtl::Sluice model({{tanh_layer(2, 4)}, {tanh_layer(2, 4)}}, tasks_named({"a", "b"}),
                    {.subspaces = 1, .strength = 1});
  const auto penalty = model->penalty();
  penalty.backward();
  CHECK(penalty.item<double>() == 0);
}

TEST_CASE("Sluice: stages and options that do not fit are errors") {
  const auto text = [](std::vector<mtl::Stages> columns, mtl::Sluice::Options options = {}) {
    return error_text([&] {
      mtl::Sluice(std::move(columns), tasks_named({"a", "b"}), options)
          ->forward({{"x", torch::randn({3, 2})}});
    });
  };
  CHECK(contains(text({{tanh_layer(2, 4)}}), "found 1 encoders for 2 tasks"));
  CHECK(contains(text({{tanh_layer(2, 4)}, {tanh_layer(2, 4)}}, {.subspaces = 0}),
                 "found 0 subspaces"));
  CHECK(contains(text({{tanh_layer(2, 4)}, {tanh_layer(2, 4)}}, {.strength = -1}), "strength -1"));
  CHECK(contains(text({{tanh_layer(2, 4)}, {tanh_layer(2, 4)}}, {.subspaces = 3}),
                 "stage 0 gives [3, 4], and dimension 1 does not fall into 3 equal subspaces"));
  CHECK(contains(text({{tanh_layer(2, 4), tanh_layer(4, 6)}, {tanh_layer(2, 4), tanh_layer(4, 6)}}),
                 "gives [3, 6], the stages before [3, 4]"));
}
