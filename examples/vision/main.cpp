// What one network for three tasks finds in pictures of animals: the table of docs/vision.md.
#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "vision/animals.hpp"

namespace {

using namespace vision;
using Names = std::vector<std::string>;

void add_convolution(torch::nn::Sequential& to, int64_t in, int64_t out, int64_t stride = 1) {
  to->push_back(torch::nn::Conv2d(
      torch::nn::Conv2dOptions(in, out, 3).stride(stride).padding(1).bias(false)));
  to->push_back(torch::nn::BatchNorm2d(out));
  to->push_back(torch::nn::ReLU());
}

/// A task by its name, behind maps of 64 channels, a quarter of the pictures' size.
mtl::Task make_task(const std::string& name, int64_t breeds, int64_t size) {
  torch::nn::Sequential head;
  if (name == "outline") {
    for (const int64_t width : {64, 32}) {
      add_convolution(head, width, width / 2);
      head->push_back(torch::nn::Upsample(
          torch::nn::UpsampleOptions().scale_factor(std::vector<double>{2, 2})));
    }
    head->push_back(torch::nn::Conv2d(torch::nn::Conv2dOptions(16, 1, 3).padding(1)));
    return {name, head, mtl::BinaryCrossEntropy{}, {mtl::MeanIou{}}};
  }
  add_convolution(head, 64, 64, 2);
  if (name == "breed") {
    head->push_back(torch::nn::AdaptiveAvgPool2d(1));
    head->push_back(torch::nn::Flatten());
    head->push_back(torch::nn::Linear(64, breeds));
    return {name, head, mtl::CrossEntropy{}, {mtl::Accuracy{}}};
  }
  add_convolution(head, 64, 32, 2);
  head->push_back(torch::nn::Flatten());
  head->push_back(torch::nn::Linear(32 * size * size / 256, 4));
  head->push_back(torch::nn::Sigmoid());
  const auto giou = [](const Tensor& found, const Tensor& truth) {
    const mtl::BoxLoss loss{.l1 = 0, .giou = 1, .format = mtl::BoxLoss::Format::center};
    return 1 - loss(found, truth).values.mean().item<double>();
  };
  return {name,
          head,
          mtl::BoxLoss{.format = mtl::BoxLoss::Format::center},
          {{"giou", giou, mtl::Better::higher}}};
}

mtl::HardSharing make_model(const Names& names, int64_t breeds, int64_t size) {
  torch::nn::Sequential encoder;
  add_convolution(encoder, 3, 24, 2);
  add_convolution(encoder, 24, 48, 2);
  add_convolution(encoder, 48, 64);
  mtl::TaskRegistry tasks;
  for (const std::string& name : names) tasks.add(make_task(name, breeds, size));
  return mtl::HardSharing(encoder, tasks);
}

/// The picture with the outline (yellow) and the box (blue) that were found.
Tensor painted(const Tensor& picture, const Tensor& outline, const Tensor& box) {
  const auto larger = [](const Tensor& x) {
    return x.repeat_interleave(3, -1).repeat_interleave(3, -2);
  };
  const auto colour = [](std::vector<float> rgb) { return torch::tensor(rgb).view({3, 1, 1}); };
  const Tensor animal = larger(outline.gt(0).to(torch::kFloat)).unsqueeze(0);
  const Tensor edge = at::max_pool2d(animal, 3, 1, 1).ne(animal);
  const Tensor at = torch::linspace(0, 1, animal.size(1)).unsqueeze(0);
  const auto distance = [&](int64_t axis) {  // from the box's middle, 1 on its border
    return ((at - box[axis]) / (box[axis + 2] / 2)).abs();
  };
  const Tensor reach = torch::maximum(distance(0), distance(1).t());
  const Tensor lined = torch::where(edge, colour({1, 0.9, 0}), larger(picture));
  const Tensor framed = torch::where(reach.lt(1) & reach.gt(0.92), colour({0, 0.8, 1}), lined);
  return (255 * framed).to(torch::kByte);
}

}  // namespace

int main(int argc, char** argv) try {
  std::filesystem::path folder, out = "runs/vision";
  int64_t pictures = 800, size = 48, epochs = 20, seeds = 4, processes = 2;
  CLI::App app("Breed, box of the head and outline of animals, drawn or (--data) real ones");
  app.add_option("--data", folder, "Folder with manifest.csv, pictures and trimaps")
      ->check(CLI::ExistingDirectory);
  const auto number = [&](const char* name, int64_t& value, const char* help) {
    app.add_option(name, value, help)->check(CLI::PositiveNumber)->capture_default_str();
  };
  number("--pictures", pictures, "How many are drawn");
  number("--size", size, "Pixels of a side, a multiple of 16");
  number("--epochs", epochs, "The best one counts, by pictures that are not learnt from");
  number("--seeds", seeds, "Runs of each");
  number("--processes", processes, "Runs at once");
  app.add_option("--out", out, "Folder for what comes out")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  torch::set_num_threads(1);
  const Animals animals =
      folder.empty() ? draw_animals(pictures, size, 0) : read_animals(folder, size);
  const auto breeds = std::ssize(animals.breeds);
  const mtl::TensorDataset data({{"picture", animals.pictures}}, animals.targets);
  const auto [train, valid, test] = mtl::random_split(data.size(), {0.6, 0.15, 0.25}, 0);
  mtl::BatchLoader validation(data.rows(valid), {.batch_size = 64});
  mtl::BatchLoader unseen(data.rows(test), {.batch_size = 64});
  const Names tasks = {"breed", "head", "outline"};
  const auto comparison = mtl::evaluate::compare(
      {.tasks = tasks,
       .methods = {"sum", "kendall"},
       .seeds = seeds,
       .directory = out / "compare",
       .identity = fmt::format("{} {} {} {}", folder.string(), pictures, size, epochs),
       .processes = processes},
      [&](const mtl::evaluate::Trial& trial) {
        torch::manual_seed(trial.seed);
        const auto model = make_model(trial.tasks, breeds, size);
        torch::optim::Adam adam(model->parameters(), 2e-3);
        const bool alone = trial.method == mtl::evaluate::single_task;
        const auto combiner = mtl::make_combiner(alone ? "sum" : trial.method, model->tasks());
        mtl::BatchLoader loader(data.rows(train),
                                {.batch_size = 32, .shuffle = true, .seed = trial.seed});
        mtl::Trainer(model, adam, *combiner, {.epochs = epochs})
            .fit(loader, validation, mtl::BestModel{}, mtl::CosineLr{.t_max = epochs});
        mtl::save(model, trial.directory / "best.safetensors");
        return mtl::evaluate::scores_of(mtl::validate(model, unseen));
      });
  mtl::io::write_json(out / "comparison.json", comparison.json());
  fmt::print("{}", comparison.text());
  const auto model = make_model(tasks, breeds, size);
  mtl::load(model, out / "compare/sum/seed-0/best.safetensors");
  const auto found = mtl::predict(model, unseen).predictions;
  std::vector<mtl::report::Tile> tiles;
  for (int64_t i = 0; i < std::min<int64_t>(12, test.size(0)); ++i) {
    const auto row = test[i].item<int64_t>();
    const auto said = static_cast<size_t>(found["breed"][i].argmax().item<int64_t>());
    const auto truth = static_cast<size_t>(animals.targets["breed"][row].item<int64_t>());
    tiles.push_back(
        {painted(animals.pictures[row], found["outline"][i][0], found["head"][i]),
         animals.breeds[said] + (said == truth ? "" : "\nnot " + animals.breeds[truth])});
  }
  mtl::report::ComparisonReport report{.title = "Breed, head and outline"};
  report.figures = {{"vision", mtl::report::contact_sheet("What one network found", tiles)}};
  mtl::report::comparison_report(out, comparison, report);
} catch (const std::exception& error) {
  fmt::print(stderr, "vision: {}\n", error.what());
  return 1;
}
