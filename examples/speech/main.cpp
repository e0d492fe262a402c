// What was said and who said it, by one network: transcripts, learnt by CTC, and the speaker.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <filesystem>

#include "voices.hpp"

namespace {

using namespace speech;
using mtl::Tensor;
struct Settings {
  std::filesystem::path out = "runs/speech";
  std::vector<std::string> methods = {"sum"};
  int64_t seeds = 3, recordings = 300, transcribed = 150, named = 300, epochs = 25;
};
constexpr int64_t width = 64, labels = 1 + static_cast<int64_t>(phones.size());

/// Convolutions along time, the first over every other frame: frames [N, L, bands], NaN behind the
/// end, to [N, 1 + ceil(L / 2), width], first the mean of all steps. What is behind the end stays
/// 0, so that each recording is heard as if it were alone.
struct EarImpl : torch::nn::Module {
  EarImpl() {
    for (const int64_t k : {0, 1, 2, 3}) {
      auto options = torch::nn::Conv1dOptions(k == 0 ? bands : width, width, 5).padding(2);
      layers->push_back(torch::nn::Conv1d(options.stride(k == 0 ? 2 : 1)));
    }
    register_module("layers", layers);
  }
  Tensor forward(const Tensor& frames) {
    const Tensor there = frames.isnan().all(2).logical_not().unsqueeze(1).slice(2, 0, {}, 2);
    Tensor x = frames.nan_to_num().transpose(1, 2);
    for (size_t k = 0; k < layers->size(); ++k)
      x = layers->at<torch::nn::Conv1dImpl>(k).forward(x).relu() * there;
    return torch::cat({(x.sum(2) / there.sum(2)).unsqueeze(1), x.transpose(1, 2)}, 1);
  }
  torch::nn::ModuleList layers;
};
TORCH_MODULE(Ear);

std::shared_ptr<mtl::Model> network(const std::vector<std::string>& names) {
  const mtl::nn::StepHead hear({.input_size = width, .output_size = labels, .steps_first = true});
  const mtl::nn::SummaryHead know({.input_size = width, .output_size = speakers});
  mtl::TaskRegistry tasks;
  for (const std::string& name : names)
    if (name == "words")
      tasks.add({name, hear, mtl::Ctc{}, {mtl::CharacterErrorRate{}, mtl::WordErrorRate{}}});
    else
      tasks.add({name, know, mtl::CrossEntropy{}, {mtl::Accuracy{}}});
  const mtl::HardSharing model(Ear(), tasks, "frames");
  if (!tasks.contains("words")) return model.ptr();
  return mtl::SequenceEnds(model, {{"words", "frames_length", /*inputs_per_step=*/2}}).ptr();
}

mtl::SampleDataset dataset(std::vector<mtl::Sample> samples) {
  return mtl::SampleDataset(std::move(samples),
                            mtl::PadToLongest{.ragged = {"frames", "words"}, .fill = std::nan("")});
}

/// Trains on recordings of the trial's seed and judges by others of it.
std::vector<mtl::evaluate::Score> learn(const mtl::evaluate::Trial& trial, const Settings& s) {
  Studio studio(trial.seed);
  const auto data = dataset(studio.samples(s.recordings, s.transcribed, s.named));
  torch::manual_seed(trial.seed);
  const auto model = network(trial.tasks);
  torch::optim::AdamW adam(model->parameters(), 3e-3);
  const bool joint = trial.method != mtl::evaluate::single_task;
  const auto combiner = mtl::make_combiner(joint ? trial.method : "sum", model->tasks());
  mtl::BatchLoader training(data, {.batch_size = 20, .shuffle = true, .seed = trial.seed});
  mtl::Trainer(*model, adam, *combiner, {.epochs = s.epochs, .max_grad_norm = 1})
      .fit(training, mtl::CosineLr{.t_max = s.epochs});
  mtl::save(*model, trial.directory / "network.safetensors");
  mtl::BatchLoader test(dataset(studio.samples(200, 200, 200)), {.batch_size = 50});
  return mtl::evaluate::scores_of(mtl::validate(*model, test));
}

/// A further recording of the first seed: its frames, and what the joint network hears in them.
mtl::report::Figure picture(const Settings& settings) {
  Studio studio(0);
  studio.samples(settings.recordings + 200, 0, 0);
  const mtl::Sample sample = studio.samples(1, 1, 1).front();
  const auto model = network({"words", "speaker"});
  mtl::load(*model, settings.out / "compare" / settings.methods[0] / "seed-0/network.safetensors");
  mtl::BatchLoader one(dataset({sample}));
  const Tensor chances = mtl::predict(*model, one).predictions["words"][0].softmax(1);
  const auto text_of = [](const Tensor& row) {  // blanks left out, repetitions as one
    std::string text;
    for (int64_t i = 0, last = 0; i < row.size(0); ++i)
      if (const auto label = row[i].item<int64_t>(); std::exchange(last, label) != label && label)
        text += letter_of(label);
    return text;
  };
  std::string script, tics = "'blank' 0";
  const auto panel = [&](const char* name, const Tensor& columns) {
    script += fmt::format("${} << END\n", name);
    for (int64_t y = 0; y < columns.size(1); ++y, script += '\n')
      for (int64_t x = 0; x < columns.size(0); ++x)
        script += fmt::format("{:.3f} ", columns[x][y].item<double>());
    script += "END\n";
  };
  panel("frames", sample.inputs["frames"]);
  panel("chances", chances);
  for (int64_t label = 1; label < labels; ++label)
    tics += fmt::format(", '{}' {}", letter_of(label), label);
  script += fmt::format(
      "unset colorbox\nunset key\nset palette defined (0 'white', 1 '#08306b')\nset autoscale fix\n"
      "set multiplot layout 2,1\nset title 'said: {}'\nset ylabel 'mel band'\n"
      "plot $frames matrix with image\nset title 'heard: {}'\nset ylabel 'chance of a letter'\n"
      "set ytics ({}) font ',9'\nplot $chances matrix with image\n",
      text_of(sample.targets["words"]), text_of(chances.argmax(1)), tics);
  return {"What was said, and what was heard", script, 900, 620};
}

}  // namespace

int main(int argc, char** argv) try {
  Settings settings;
  CLI::App app("Words and speaker of synthetic speech, together and one by one");
  app.option_defaults()->always_capture_default();
  app.add_option("--out", settings.out, "Folder for what comes out");
  app.add_option("--combiner", settings.methods, "One or several, as make_combiner takes them");
  app.add_option("--seeds", settings.seeds, "Runs of each, with recordings of their own");
  app.add_option("--recordings", settings.recordings, "To learn from");
  app.add_option("--transcribed", settings.transcribed, "Those of them whose words are known");
  app.add_option("--named", settings.named, "Those of them whose speaker is known");
  app.add_option("--epochs", settings.epochs, "Passes over them");
  CLI11_PARSE(app, argc, argv);
  std::filesystem::remove_all(settings.out / "compare");
  const auto comparison = mtl::evaluate::compare(
      {.tasks = {"words", "speaker"},
       .methods = settings.methods,
       .seeds = settings.seeds,
       .directory = settings.out / "compare",
       .processes = 2},
      [&](const mtl::evaluate::Trial& trial) { return learn(trial, settings); });
  fmt::print("{} recordings to learn from, {} transcribed, {} named; judged by 200 others\n{}\n",
             settings.recordings, settings.transcribed, settings.named, comparison.text());
  mtl::report::ComparisonReport report{.title = "Words and speaker of synthetic speech"};
  report.figures = {{"speech", picture(settings)}};
  mtl::report::comparison_report(settings.out, comparison, report);
} catch (const std::exception& error) {
  fmt::print(stderr, "speech: {}\n", error.what());
  return 1;
}
