#include "mtl/train/optimizer_state.hpp"

#include "catch.hpp"
#include "error_text.hpp"
#include "two_task_problem.hpp"

TEST_CASE("optimizer_state: Adam, AdamW, SGD, RMSprop and Adagrad resume from their saved state") {
  const auto check = [](auto make) {
    auto model = two_task_model(), copy = two_task_model();
    auto optimizer = make(model->parameters()), fresh = make(copy->parameters());
    mtl::Sum sum;
    mtl::BatchLoader loader(weather_like(16, 1));
    mtl::Trainer(model, optimizer, sum, {.epochs = 3}).fit(loader);
    mtl::nn::load_weights(*copy, mtl::nn::weights(*model));
    mtl::load_optimizer_state(fresh, mtl::optimizer_state(optimizer));
    mtl::Trainer(model, optimizer, sum, {.epochs = 2}).fit(loader);
    mtl::Trainer(copy, fresh, sum, {.epochs = 2}).fit(loader);
    CHECK(flat(model).equal(flat(copy)));
  };
  using Parameters = std::vector<torch::Tensor>;
  check([](Parameters p) {
    return torch::optim::Adam(std::move(p), torch::optim::AdamOptions(0.01).amsgrad(true));
  });
  check([](Parameters p) { return torch::optim::AdamW(std::move(p)); });
  check([](Parameters p) {
    return torch::optim::SGD(std::move(p), torch::optim::SGDOptions(0.01).momentum(0.9));
  });
  check([](Parameters p) {
    return torch::optim::RMSprop(std::move(p),
                                 torch::optim::RMSpropOptions(0.01).momentum(0.5).centered(true));
  });
  check([](Parameters p) {
    return torch::optim::Adagrad(std::move(p), torch::optim::AdagradOptions(0.01));
  });
}

TEST_CASE("load_optimizer_state: another optimizer's is an error that changes nothing") {
  auto model = two_task_model();
  torch::optim::SGD sgd(model->parameters(), torch::optim::SGDOptions(0.01).momentum(0.9));
  torch::optim::Adam adam(model->parameters(), 0.1);
  mtl::Sum sum;
  mtl::BatchLoader loader(weather_like(16, 1));
  mtl::Trainer(model, sgd, sum, {.epochs = 1}).fit(loader);
  mtl::Trainer(model, adam, sum, {.epochs = 1}).fit(loader);
  const auto before = mtl::nn::cloned(mtl::optimizer_state(sgd));
  CHECK(contains(error_text([&] { mtl::load_optimizer_state(sgd, mtl::optimizer_state(adam)); }),
                 "another optimizer's"));
  const auto after = mtl::optimizer_state(sgd);
  REQUIRE(after.size() == before.size());
  for (const auto& item : before) CHECK(after[item.key()].equal(item.value()));
}
