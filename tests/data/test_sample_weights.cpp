#include "error_text.hpp"
#include "mtl/data/data.hpp"

using mtl::Tensor;

namespace {

mtl::TensorDataset weighted_data() {
  const Tensor x = torch::arange(10, torch::kDouble);
  return mtl::TensorDataset({{"x", x}}, {{"t", x * 10}}, x + 100, {{"t", x + 1000}});
}

/// Whether every row has the weights that belong to its input.
bool belong_together(const mtl::Batch& batch, int64_t offset = 0) {
  const Tensor x = batch.inputs["x"].flatten(1).select(1, 0) + offset;
  return batch.sample_weights.equal(x + 100) && batch.task_sample_weights["t"].equal(x + 1000);
}

}  // namespace

TEST_CASE("Sample weights go with their rows: data set, part of it, loader") {
  const Tensor x = torch::arange(10, torch::kDouble).unsqueeze(1);
  const mtl::TensorDataset data({{"x", x}}, {{"t", x}}, x.squeeze(1) + 100,
                                {{"t", x.squeeze(1) + 1000}});
  CHECK(belong_together(data.get(torch::tensor({3, 1, 7}))));
  CHECK(belong_together(data.rows(torch::tensor({9, 2})).get(torch::tensor({1, 0}))));
  CHECK(belong_together(data.to(torch::kCPU).get(torch::tensor({5}))));
  mtl::BatchLoader loader(data, {.batch_size = 4, .shuffle = true, .seed = 3});
  mtl::Batch batch;
  int64_t samples = 0;
  while (loader.next(batch)) {
    CHECK(belong_together(batch));
    samples += mtl::size(batch);
  }
  CHECK(samples == 10);
}

TEST_CASE("Sample weights of a window are those of the row that its target comes from") {
  const mtl::TensorDataset rows = weighted_data();
  const mtl::WindowDataset windows(rows.inputs(), rows.targets(), {.length = 3, .horizon = 2}, {},
                                   rows.sample_weights(), rows.task_sample_weights());
  CHECK(belong_together(windows.get(torch::tensor({4, 0})), 4));
  CHECK(belong_together(windows.windows(torch::tensor({2, 3})).get(torch::tensor({1})), 4));
}

TEST_CASE("Sample weights: wrong ones are Errors that name row and task") {
  const Tensor x = torch::zeros({3});
  const Tensor wrong = torch::tensor({1.0, -0.5, 1.0});
  CHECK(contains(error_text([&] {
                   mtl::TensorDataset({{"x", x}}, mtl::NamedTensors(), wrong);
                 }),
                 "the sample weight in row 1 is -0.5"));
  CHECK(contains(error_text([&] {
                   mtl::TensorDataset({{"x", x}}, mtl::NamedTensors(), {}, {{"t", wrong}});
                 }),
                 "task \"t\": the sample weight in row 1"));
  CHECK(contains(error_text([&] {
                   mtl::TensorDataset({{"x", x}}, mtl::NamedTensors(), torch::ones({2}));
                 }),
                 "[2], expected one a sample, [3]"));
}

TEST_CASE("to: weights move with the batch") {
  const mtl::Batch batch = weighted_data().get(torch::tensor({1, 2}));
  const mtl::Batch moved = mtl::to(batch, torch::kCPU);
  CHECK(moved.sample_weights.equal(batch.sample_weights));
  CHECK(moved.task_sample_weights["t"].equal(batch.task_sample_weights["t"]));
}

TEST_CASE("to: a target that is undefined, a missing one, stays so") {
  const mtl::Batch batch{.inputs = {{"x", torch::zeros({2})}}, .targets = {{"t", Tensor()}}};
  CHECK_FALSE(mtl::to(batch, torch::kCPU).targets["t"].defined());
}

TEST_CASE("Sample weights: those for all and those of a task are multiplied as real numbers") {
  for (const auto type : {torch::kByte, torch::kHalf}) {
    const mtl::Batch batch{.inputs = {{"x", torch::zeros({2})}},
                           .sample_weights = torch::tensor({250, 0}).to(type),
                           .task_sample_weights = {{"t", torch::tensor({250, 3}).to(type)}}};
    const Tensor weights = mtl::sample_weights_of(batch, "t");
    CHECK(weights.equal(torch::tensor({62500.0f, 0.0f})));
  }
}
