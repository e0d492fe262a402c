#include "error_text.hpp"
#include "two_task_problem.hpp"

namespace {

mtl::SoftSharing soft_pair() {
  torch::manual_seed(3);
  return mtl::SoftSharing(
      mtl::several(2, [] { return mtl::nn::MlpEncoder({.input_size = 5, .hidden_sizes = {8}}); }),
      weather_tasks(8), {.strength = 0.05});
}

}  // namespace

TEST_CASE("AddPenalty: takes the very steps of a loop that adds the penalty after the combiner") {
  mtl::BatchLoader train(weather_like(40, 1), {.batch_size = 8, .shuffle = false});
  auto trained = soft_pair(), by_hand = soft_pair();
  torch::optim::SGD sgd(trained->parameters(), 0.05), hand_sgd(by_hand->parameters(), 0.05);
  mtl::Trainer(trained, sgd, mtl::Sum(), {.epochs = 2}).fit(train, mtl::AddPenalty{[&] {
                                                              return trained->penalty();
                                                            }});
  mtl::Sum sum;
  for (int64_t epoch = 0; epoch < 2; ++epoch) {
    train.start_epoch(epoch);
    for (mtl::Batch batch; train.next(batch);) {
      hand_sgd.zero_grad();
      sum.backward(mtl::task_losses(*by_hand, by_hand->forward(batch.inputs), batch), by_hand);
      by_hand->penalty().backward();
      hand_sgd.step();
    }
  }
  for (const auto& item : mtl::nn::weights(*trained)) {
    INFO(item.key());
    CHECK(item.value().equal(mtl::nn::weights(*by_hand)[item.key()]));
  }
}

TEST_CASE("AddPenalty: a penalty that is none is an error, one without graph adds nothing") {
  mtl::BatchLoader train(weather_like(16, 1), {.batch_size = 8});
  auto model = soft_pair();
  torch::optim::SGD sgd(model->parameters(), 0.05);
  mtl::Trainer trainer(model, sgd, mtl::Sum(), {.epochs = 1});
  CHECK_NOTHROW(trainer.fit(train, mtl::AddPenalty{[] { return torch::zeros({}); }}));
  CHECK(contains(error_text([&] { trainer.fit(train, mtl::AddPenalty{}); }), "no penalty"));
  CHECK(contains(
      error_text([&] { trainer.fit(train, mtl::AddPenalty{[] { return torch::ones({2}); }}); }),
      "found [2], expected one number"));
  CHECK(contains(error_text([&] {
                   trainer.fit(train, mtl::AddPenalty{[&] { return model->penalty() / 0.0; }});
                 }),
                 "the penalty is inf"));
}
