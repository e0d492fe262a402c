// The code of docs/report.md.
#include <mtl/mtl.hpp>

#include <cstdio>
#include <filesystem>

int main() {
  torch::manual_seed(0);
  const auto x = torch::randn({200, 3});
  mtl::TensorDataset data(
      {{"x", x}}, {{"temperature", x.sum(1)}, {"sky", (x.select(1, 0) > 0).to(torch::kLong)}});

  mtl::TaskRegistry tasks;
  tasks.add(
      {.name = "temperature", .head = mtl::nn::LinearHead(8, 1), .loss = mtl::MeanSquaredError{}});
  tasks.add({.name = "sky", .head = mtl::nn::LinearHead(8, 2), .loss = mtl::CrossEntropy{}});
  auto model = mtl::HardSharing(mtl::nn::MlpEncoder({.input_size = 3, .hidden_sizes = {8}}), tasks);
  const auto folder = std::filesystem::temp_directory_path() / "mtl-docs-report";

  torch::optim::Adam adam(model->parameters(), 1e-2);
  mtl::Sum combiner;
  mtl::BatchLoader train(data.rows(torch::arange(0, 150))),
      valid(data.rows(torch::arange(150, 200)));
  mtl::Trainer trainer(model, adam, combiner, {.epochs = 5});

  mtl::CombinerLog log{
      .csv = folder / "combiner.csv", .tensorboard = folder / "tensorboard/combiner", .every = 10};
  auto run = trainer.fit(train, valid, log, mtl::CsvLog{.file = folder / "history.csv"},
                         mtl::TensorBoard{.directory = folder / "tensorboard/epochs"});

  const auto files =
      mtl::report::run_report(folder, run, model->tasks(), mtl::predict(*model, valid),
                              {.title = "Tomorrow's weather",
                               .data = "Two hundred made-up days; the last fifty were not seen.",
                               .views = {{.task = "temperature",
                                          .title = "Temperature",
                                          .unit = "°C",
                                          .scale = 8.1,
                                          .offset = 16.3},
                                         {.task = "sky", .class_names = {"晴", "雨"}}},
                               .settings = {{"station", "Tokyo"}},
                               .combiner = &log});
  std::printf("open %s\n", files.page.c_str());

  try {
    mtl::report::save(mtl::report::confusion_chart(
                          {"Weather, test", {"晴", "雨"}, Eigen::Matrix2d{{40, 4}, {6, 25}}}),
                      folder / "confusion.png");
  } catch (const mtl::report::NoGnuplot& missing) {
    std::puts(missing.what());  // no picture, and the program goes on
  }

  mtl::report::Page page{.title = "What we tried", .verdict = {"The third one is best."}};
  page.section("Losses").text("Of three runs.").picture("losses", mtl::report::loss_curves(run));
  const auto own = mtl::report::write_page(page, folder / "own");

  const bool written = std::filesystem::exists(files.page) && std::filesystem::exists(own.json);
  std::filesystem::remove_all(folder);
  return written ? 0 : 1;
}
