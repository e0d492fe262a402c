#include "error_text.hpp"
#include "mtl/data/samples.hpp"
#include "way_checks.hpp"

namespace {

using mtl::Tensor;

/// Words of three classes by CTC, and a number a step beside them, of frames [N, L, 2].
mtl::HardSharing steps_model() {
  mtl::TaskRegistry tasks;
  tasks.add({.name = "words", .head = mtl::nn::LinearHead(4, 3), .loss = mtl::Ctc{}});
  tasks.add({.name = "height", .head = mtl::nn::LinearHead(4, 1), .loss = squared_error});
  return {tanh_layer(2, 4), tasks, "frames"};
}

mtl::SequenceEnd end_of_words(int64_t inputs_per_step = 1) {
  return {.task = "words", .lengths = "frames_length", .inputs_per_step = inputs_per_step};
}

}  // namespace

TEST_CASE("SequenceEnds: a batch of ragged samples gives each its own loss and gradient") {
  torch::manual_seed(1);
  auto plain = steps_model();
  mtl::SequenceEnds model(plain, {end_of_words()});
  model->to(torch::kDouble);
  std::vector<mtl::Sample> samples;
  for (const int64_t length : {6, 3, 4})
    samples.push_back({{{"frames", torch::randn({length, 2}, torch::kDouble)}},
                       {{"words", torch::tensor({1, 2})}}});
  const mtl::PadToLongest collate{.ragged = {"frames", "words"}, .fill = 7};
  const auto gradient_of = [&](mtl::Model& of, const mtl::Batch& batch) {
    of.zero_grad();
    const mtl::TaskLosses losses = mtl::task_losses(of, of.forward(batch.inputs), batch);
    losses.values[0].backward();
    return std::pair{losses.values[0].item<double>(),
                     plain->encoder().module()->parameters()[0].grad().clone()};
  };
  const auto [together, gradient] = gradient_of(*model, collate(samples));
  double mean = 0;
  Tensor sum = torch::zeros_like(gradient);
  for (const mtl::Sample& sample : samples) {
    const auto [alone, own] = gradient_of(*plain, collate({sample}));
    mean += alone / 3;
    sum += own / 3;
  }
  CHECK(together == Approx(mean).epsilon(1e-12));
  CHECK(gradient.allclose(sum, 1e-10, 1e-13));
}

TEST_CASE("SequenceEnds: lengths in steps of the input, the last step perhaps of fewer") {
  torch::manual_seed(2);
  mtl::SequenceEnds model(steps_model(), {end_of_words(3)});
  const Tensor x = torch::randn({4, 3, 2}), lengths = torch::tensor({9, 7, 6, 1});
  const auto p = model->forward({{"frames", x}, {"frames_length", lengths}});
  const Tensor there = p["words"].isfinite().all(2).sum(1);
  CHECK(there.equal(torch::tensor({3, 3, 2, 1})));
  CHECK(p["height"].isfinite().all().item<bool>());
}

TEST_CASE("SequenceEnds: tasks own what they own within; a clone goes its own way") {
  torch::manual_seed(3);
  mtl::SequenceEnds model(steps_model(), {end_of_words()});
  CHECK(model->task_parameters("words").size() == 2);
  CHECK(model->shared_parameters().size() == 2);
  const mtl::NamedTensors x = {{"frames", torch::randn({2, 5, 2})},
                               {"frames_length", torch::tensor({5, 4})}};
  auto copy = mtl::clone(model);
  CHECK(copy->forward(x)["words"].equal(model->forward(x)["words"]));
  CHECK(model->representation().defined());
  move_weights(*copy);
  CHECK_FALSE(copy->forward(x)["words"].equal(model->forward(x)["words"]));
}

TEST_CASE("SequenceEnds: ends and lengths that do not fit are Errors") {
  using mtl::SequenceEnds;
  const auto made_of = [](std::vector<mtl::SequenceEnd> ends) {
    return error_text([&] { SequenceEnds(steps_model(), std::move(ends)); });
  };
  CHECK(contains(made_of({}), "no task is named"));
  CHECK(contains(made_of({{.task = "mood", .lengths = "n"}}), "\"mood\" is no task of the model"));
  CHECK(contains(made_of({end_of_words(), end_of_words()}), "\"words\" ends twice"));
  CHECK(contains(made_of({{.task = "words"}}), "names no input with the lengths"));
  CHECK(contains(made_of({end_of_words(0)}), "inputs_per_step is 0"));
  SequenceEnds model(steps_model(), {end_of_words()});
  const Tensor x = torch::randn({2, 5, 2});
  CHECK(contains(error_text([&] { model->forward({{"frames", x}}); }), "\"frames_length\""));
  CHECK(
      contains(error_text([&] {
                 model->forward({{"frames", x}, {"frames_length", torch::tensor({5, 8})}});
               }),
               "task \"words\", which ends by input \"frames_length\": the length of row 1 is 8"));
}

TEST_CASE("SequenceEnds: tasks come and go, and those left end where they did") {
  torch::manual_seed(3);
  mtl::SequenceEnds model(steps_model(), {end_of_words()});
  model->eval();
  const mtl::NamedTensors inputs{{"frames", torch::randn({2, 4, 2})},
                                 {"frames_length", torch::tensor({4, 2})}};
  const Tensor words = model->forward(inputs)["words"];
  auto smaller = mtl::drop_task(model, "height").model;
  CHECK(smaller->forward(inputs)["words"].equal(words));
  auto larger =
      mtl::add_task(model, {.name = "b", .head = mtl::nn::LinearHead(4, 1), .loss = squared_error})
          .model;
  CHECK(larger->forward(inputs)["words"].equal(words));
  CHECK(contains(error_text([&] { mtl::drop_task(model, "words"); }),
                 "only task whose sequences end"));
}

TEST_CASE("SequenceEnds: lengths of a short type end where those of int64 do") {
  mtl::HardSharing inner(torch::nn::Identity(),
                         {{.name = "words", .head = torch::nn::Identity(), .loss = mtl::Ctc{}}},
                         "frames");
  const auto ended = [&](const mtl::SequenceEnd& end, const Tensor& lengths, int64_t steps) {
    mtl::SequenceEnds model(mtl::clone(inner), {end});
    return model
        ->forward({{"frames", torch::zeros({2, steps, 3})}, {"frames_length", lengths}})["words"]
        .isinf()
        .any(2)
        .sum(1);
  };
  const Tensor lengths = torch::tensor({250, 40});
  // (250 + 9) / 10 steps of 30, and step 256 of 300, are beyond a byte.
  for (const auto type : {torch::kLong, torch::kByte}) {
    CHECK(ended(end_of_words(10), lengths.to(type), 30).equal(torch::tensor({5, 26})));
    CHECK(ended(end_of_words(), lengths.to(type), 300).equal(torch::tensor({50, 260})));
  }
}
