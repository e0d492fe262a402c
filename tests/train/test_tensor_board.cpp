#include "catch.hpp"
#include "error_text.hpp"
#include "logged_run.hpp"
#include "schedule_golden.hpp"
#include "temporary_folder.hpp"

TEST_CASE("TensorBoard: every loss and metric of every epoch") {
  const TemporaryFolder folder;
  logged_run(3, mtl::TensorBoard{.directory = folder / "board"});
  const auto events = event_file(folder / "board");
  for (const auto* tag : {"learning_rate", "total/train", "total/valid", "a/loss/train",
                          "a/loss/valid", "a/error/valid", "b/loss/train", "b/error/valid"})
    CHECK(occurrences(events, tag) == 3);
}

TEST_CASE("TensorBoard: histograms and pictures where they are asked for") {
  const TemporaryFolder folder;
  const std::string png("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\0", 26);
  const auto draw = [&](const mtl::TrainState& state) { return state.epoch == 2 ? png : ""; };
  logged_run(4, mtl::TensorBoard{.directory = folder / "board",
                                 .histograms_every = 2,
                                 .pictures = {{.name = "front", .png = draw}}});
  const auto events = event_file(folder / "board");
  CHECK(occurrences(events, "weights/encoder.layers.0.weight") == 2);
  CHECK(occurrences(events, "gradients/encoder.layers.0.weight") == 2);
  CHECK(occurrences(events, "front") == 1);
}

TEST_CASE("TensorBoard: a second fit has an event file of its own") {
  const TemporaryFolder folder;
  mtl::TensorBoard board{.directory = folder / "board"};
  logged_run(2, board);
  logged_run(2, board);
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(board.directory))
    files += entry.is_regular_file();
  CHECK(files == 2);
}

TEST_CASE("TensorBoard: no directory is an error when it joins") {
  CHECK(contains(joining_error(mtl::TensorBoard{}), "TensorBoard: found no directory"));
  CHECK(contains(joining_error(mtl::TensorBoard{.directory = "b", .histograms_every = -1}), "-1"));
  CHECK(contains(joining_error(mtl::TensorBoard{.directory = "b", .pictures = {{.name = "p"}}}),
                 "\"p\""));
}

TEST_CASE("TensorBoard: histograms of a sparse gradient are those of its entries") {
  const TemporaryFolder folder;
  torch::manual_seed(1);
  mtl::TaskRegistry tasks;
  tasks.add({.name = "a", .head = mtl::nn::LinearHead(4, 1), .loss = squared_error});
  mtl::HardSharing model(
      torch::nn::Sequential(torch::nn::Embedding(torch::nn::EmbeddingOptions(5, 4).sparse(true))),
      tasks);
  torch::optim::SGD sgd(model->parameters(), 0.1);
  const auto words = torch::tensor({1, 1, 2, 3}, torch::kLong);
  mtl::BatchLoader loader(mtl::TensorDataset({{"x", words}}, {{"a", words.to(torch::kFloat)}}));
  mtl::Trainer(model, sgd, mtl::Sum(), {.epochs = 1})
      .fit(loader, mtl::TensorBoard{.directory = folder / "board", .histograms_every = 1});
  CHECK(occurrences(event_file(folder / "board"), "gradients/encoder.0.weight") == 1);
}
