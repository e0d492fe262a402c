// Sentiment, topic and judged aspects of reviews, by one network with attention: docs/text.md.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "text/reviews.hpp"

namespace {

using namespace text;
using mtl::Tensor;

struct Settings {
  std::filesystem::path out = "runs/text";
  Texts methods = {"sum", "kendall"};
  int64_t reviews = 4000, read = 2000, epochs = 14, seeds = 3;
};

mtl::HardSharing network(const Texts& names) {
  constexpr int64_t width = 32;
  mtl::TaskRegistry tasks;
  for (const std::string& name : names) {
    const Texts& classes = name == "aspects" ? tags : name == "topic" ? topics : sentiments;
    const mtl::nn::SummaryHead once({.input_size = width, .output_size = std::ssize(classes)});
    const mtl::nn::StepHead each({.input_size = width, .output_size = std::ssize(classes)});
    if (name != "aspects") tasks.add({name, once, mtl::CrossEntropy{}, {mtl::Accuracy{}}});
    if (name == "aspects") tasks.add({name, each, mtl::CrossEntropy{}, {mtl::SpanF1{tags}}});
  }
  const mtl::nn::AttentionEncoder encoder({.vocabulary = 1 + vocabulary().size(),
                                           .width = width,
                                           .heads = 4,
                                           .layers = 2,
                                           .feedforward_size = 2 * width});
  return {encoder, tasks, "tokens"};
}

mtl::SampleDataset reviews_of(Writer& writer, int64_t count, int64_t read) {
  std::vector<mtl::Sample> samples;
  for (int64_t i = 0; i < count; ++i) samples.push_back(sample_of(writer.write(), i < read));
  return mtl::SampleDataset(samples, mtl::PadToLongest{.ragged = {"tokens", "aspects"}});
}

/// Learns from reviews of the trial's seed and is judged by others of it.
std::vector<mtl::evaluate::Score> learn(const mtl::evaluate::Trial& trial, const Settings& s) {
  Writer writer(trial.seed);
  mtl::BatchLoader training(reviews_of(writer, s.reviews, s.read),
                            {.batch_size = 64, .shuffle = true, .seed = trial.seed});
  mtl::BatchLoader unseen(reviews_of(writer, 1000, 1000), {.batch_size = 100});
  torch::manual_seed(trial.seed);
  const auto model = network(trial.tasks);
  torch::optim::Adam adam(model->parameters(), 3e-3);
  const auto combiner = mtl::make_combiner(mtl::evaluate::combiner_of(trial), model->tasks());
  mtl::Trainer(model, adam, *combiner, {.epochs = s.epochs, .max_grad_norm = 1})
      .fit(training, mtl::LinearWarmUpLr{.total = 2}, mtl::CosineLr{.t_max = s.epochs});
  mtl::save(model, trial.directory / "network.safetensors");
  return mtl::evaluate::scores_of(mtl::validate(model, unseen));
}

/// Further reviews of the first seed, word by word in the colours of what the joint network says.
mtl::report::Figure picture(const Settings& settings) {
  Writer writer(0);
  reviews_of(writer, settings.reviews + 1000, 0);
  const auto model = network({"sentiment", "topic", "aspects"});
  mtl::load(model, settings.out / "compare" / settings.methods[0] / "seed-0/network.safetensors");
  const Texts colours = {"#404040", "#117733", "#117733", "#bb1111", "#bb1111"};
  std::string script = "unset border\nunset tics\nunset key\nset margins 0,0,0,0\n";
  const auto put = [&](size_t x, int64_t line, const std::string& what, const std::string& colour) {
    script += fmt::format("set label '{}' at {},{} tc rgb '{}'\n", what, x, -line, colour);
  };
  const auto said = [](const Texts& names, const Tensor& scores, int64_t truth) {
    const auto found = scores.argmax().item<int64_t>();
    return names[static_cast<size_t>(found)] + (found == truth ? "" : "*");
  };
  int64_t line = 1;
  for (int64_t i = 0; i < 6; ++i, line += 2) {
    Writer same = writer;
    mtl::BatchLoader one(reviews_of(same, 1, 1));
    const Review review = writer.write();
    const auto found = mtl::predict(model, one).predictions;
    const Tensor tagged = found["aspects"][0].argmax(0);
    for (size_t w = 0, x = 1; w < review.words.size(); ++w) {
      const auto tag = tagged[static_cast<int64_t>(w)].item<int64_t>();
      const std::string word = review.words[w] + (tag == review.tags[w] ? "" : "*");
      if (x + word.size() > 100) std::tie(x, line) = std::pair(size_t{1}, line + 1);
      put(x, line, word, colours[static_cast<size_t>(tag)]);
      x += word.size() + 1;
    }
    const std::string topic = said(topics, found["topic"][0], review.topic);
    const std::string mood = said(sentiments, found["sentiment"][0], review.sentiment);
    put(4, ++line, topic + ", " + mood, "#4060a0");
  }
  script += fmt::format("plot [0:104] [{}:0] NaN notitle\n", -line);
  return {"Praised (green) and blamed (red) aspects, topic and sentiment that one network found",
          script, 1000, static_cast<int>(22 * line)};
}

}  // namespace

int main(int argc, char** argv) try {
  Settings settings;
  CLI::App app("Sentiment, topic and aspects of reviews, together and one by one");
  app.option_defaults()->always_capture_default();
  app.add_option("--out", settings.out, "Folder for what comes out");
  app.add_option("--combiner", settings.methods, "One or several, as make_combiner takes them");
  app.add_option("--reviews", settings.reviews, "To learn from, all with their sentiment");
  app.add_option("--read", settings.read, "Those of them whose topic and aspects are known");
  app.add_option("--epochs", settings.epochs, "Passes over them");
  app.add_option("--seeds", settings.seeds, "Runs of each, with reviews of their own");
  CLI11_PARSE(app, argc, argv);
  torch::set_num_threads(1);
  const std::string data = fmt::format("{} reviews, topic and aspects known of {}, {} epochs",
                                       settings.reviews, settings.read, settings.epochs);
  const auto comparison = mtl::evaluate::compare(
      {.tasks = {"sentiment", "topic", "aspects"},
       .methods = settings.methods,
       .seeds = settings.seeds,
       .directory = settings.out / "compare",
       .identity = data,
       .processes = 2},
      [&](const mtl::evaluate::Trial& trial) { return learn(trial, settings); });
  fmt::print("{}; judged by 1000 others\n{}", data, comparison.text());
  mtl::report::ComparisonReport report{.title = "Sentiment, topic and aspects", .data = data};
  report.figures = {{"text", picture(settings)}};
  mtl::report::comparison_report(settings.out, comparison, report);
} catch (const std::exception& error) {
  fmt::print(stderr, "text: {}\n", error.what());
  return 1;
}
