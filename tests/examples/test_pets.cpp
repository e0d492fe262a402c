#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/core/core.hpp"
#include "mtl/io/file.hpp"
#include "mtl/io/file_lock.hpp"
#include "mtl/io/json.hpp"
#include "pets/drawn.hpp"
#include "pets/files/pictures.hpp"
#include "pets/program.hpp"
#include "temporary_folder.hpp"

namespace {

const std::string header =
    "ear_erect,ear_semi_erect,ear_cropped,ear_drop,hair_curly,hair_hairless,hair_short,hair_fluffy,"
    "figure_stout,figure_normal,figure_slim\n";

std::filesystem::path write_text(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file) << text;
  return file;
}

const std::filesystem::path bundled_traits = MTL_SOURCE_DIR "/examples/pets/breed_traits.csv";

/// Few breeds and epochs, so that a run takes a second.
pets::Options small_options(const TemporaryFolder& folder) {
  pets::Options options;
  options.data = "drawn";
  options.traits = write_text(folder / "traits.csv", "breed," + header +
                                                         "pug,0,0,0,1,0,0,1,0,1,0,0\n"
                                                         "Sphynx,1,0,0,0,0,1,0,0,0,0,1\n"
                                                         "samoyed,1,0,0,0,0,0,0,1,0,1,0\n"
                                                         "beagle,0,0,0,1,0,0,1,0,0,1,0\n"
                                                         "boxer,0,0,1,0,0,0,1,0,0,1,0\n"
                                                         "Bengal,1,0,0,0,0,0,1,0,0,1,0\n");
  options.out = folder / "run";
  options.epochs = 3;
  options.each = 4;
  options.threads = 1;
  return options;
}

int run_pets(const std::vector<std::string>& arguments) {
  std::vector<const char*> words;
  for (const std::string& argument : arguments) words.push_back(argument.c_str());
  return pets::run_program(static_cast<int>(words.size()), words.data());
}

}  // namespace

TEST_CASE("pets: the bundled traits have a row for each of the 37 breeds") {
  const auto scores = pets::read_traits(bundled_traits, "breed");
  CHECK(scores.size() == 37);
  CHECK(scores.at("english_cocker_spaniel") ==
        std::vector<double>{0, 0, 0, 1, 0.5, 0, 0, 0.5, 0, 1, 0});
}

TEST_CASE("pets: a trait file that is wrong says where") {
  const TemporaryFolder folder;
  const auto error = [&](const std::string& text) {
    const auto file = write_text(folder / "traits.csv", text);
    return error_text([&] { pets::read_traits(file, "breed"); });
  };
  const std::string pug = "pug,0,0,0,1,0,0,1,0,1,0,0\n";

  const auto unknown = error("breed," + header + pug + "Abysinian,1,0,0,0,0,0,1,0,0,0,1\n");
  CHECK(contains(unknown, "\"Abysinian\" is unknown"));
  CHECK(contains(unknown, "traits.csv, line 3"));

  const auto outside = error("breed," + header + pug + "boxer,0,0,1.2,0,0,0,1,0,0,1,0\n");
  CHECK(contains(outside, "line 3"));
  CHECK(contains(outside, "\"ear_cropped\""));
  CHECK(contains(outside, "1.2"));
  CHECK(contains(error("breed," + header + "pug,-0.1,0,0,1,0,0,1,0,1,0,0\n"), "[0, 1]"));

  const auto missing = error("breed,ear_erect\npug,1\n");
  CHECK(contains(missing, "\"ear_semi_erect\" is missing"));
  CHECK(contains(error("name," + header + pug), "no column \"breed\""));
  CHECK(contains(error("breed," + header + pug + pug), "has a row already"));
}

TEST_CASE("pets: a breed of one's own is known by its pictures") {
  const TemporaryFolder folder;
  const auto file =
      write_text(folder / "traits.csv", "breed," + header + "my_cat,1,0,0,0,0,0,1,0,0,1,0\n");
  const std::vector<std::string> mine{"my_cat"};
  CHECK(pets::read_traits(file, "breed", mine).at("my_cat").front() == 1);
}

TEST_CASE("pets: scores of a picture come before those of its breed; unknown ones are missing") {
  const TemporaryFolder folder;
  const auto breeds = pets::read_traits(
      write_text(folder / "traits.csv", "breed," + header + "pug,0,0.3,0,0.7,0,0,1,0,,,\n"),
      "breed");
  const auto own = pets::read_traits(
      write_text(folder / "pictures.csv", "picture,ear_erect,ear_drop\npug_2,1,0\npug_3,,0.5\n"),
      "picture");
  const std::vector<pets::PetPicture> pictures{{.name = "pug_1", .breed = "pug"},
                                               {.name = "pug_2", .breed = "pug"},
                                               {.name = "pug_3", .breed = "pug"},
                                               {.name = "fox_1", .breed = "fox"}};
  const auto targets = pets::pet_targets(pictures, {"fox", "pug"}, breeds, own);
  const float nan = std::nanf("");
  CHECK(torch::allclose(
      targets["ear"],
      torch::tensor(
          {{0.f, .3f, 0.f, .7f}, {1.f, .3f, 0.f, 0.f}, {0.f, .3f, 0.f, .5f}, {nan, nan, nan, nan}}),
      0, 1e-6, true));
  CHECK(targets["figure"].isnan().all().item<bool>());
  CHECK(targets["hair"].sizes() == std::vector<int64_t>{4, 4});
}

TEST_CASE("pets: lambdas are read by name, and wrong ones refused") {
  CHECK(pets::parse_lambdas("ear=0,hair=0,figure=0") == pets::no_lambdas);
  CHECK(pets::parse_lambdas("hair=2") == pets::Lambdas{1.7, 2, 0.25});
  CHECK_THROWS_AS(pets::parse_lambdas("tail=1"), mtl::Error);
  CHECK_THROWS_AS(pets::parse_lambdas("ear=-1"), mtl::Error);
  CHECK_THROWS_AS(pets::parse_lambdas("ear"), mtl::Error);
  for (const auto& also : {std::vector<std::string>{}, {"--overfit-one-batch"}}) {
    std::vector<std::string> arguments{"pets", "--data", "drawn", "--lambda", "tail=1"};
    arguments.insert(arguments.end(), also.begin(), also.end());
    CHECK(run_pets(arguments) == 1);  // and says so, instead of a crash
  }
}

TEST_CASE("pets: drawn pictures repeat by seed and follow the trait table") {
  const auto breeds = pets::read_traits(bundled_traits, "breed");
  const auto once = pets::draw_pets(breeds, 5, 24, 7);
  const auto& pictures = once.inputs()["picture"];
  CHECK(pictures.equal(pets::draw_pets(breeds, 5, 24, 7).inputs()["picture"]));
  CHECK_FALSE(pictures.equal(pets::draw_pets(breeds, 5, 24, 8).inputs()["picture"]));
  auto scores = breeds.begin();
  for (int64_t row = 0; row < 37 * 5; ++row) {
    if (row > 0 && row % 5 == 0) ++scores;
    CHECK(once.targets()["breed"][row].item<int64_t>() == row / 5);
    const auto ear = once.targets()["ear"][row].argmax().item<int64_t>();
    CHECK(scores->second[static_cast<size_t>(ear)] > 0);
  }
  CHECK(once.targets()["ear"].sum(1).eq(1).all().item<bool>());
  CHECK_THROWS_AS(pets::draw_pets(breeds, 0, 24, 7), mtl::Error);
  const pets::TraitScores unknown{{"pug", std::vector<double>(11, std::nan(""))}};
  CHECK(contains(error_text([&] { pets::draw_pets(unknown, 1, 24, 7); }), "\"pug\""));
}

TEST_CASE("pets: a run writes its directory, with the fixed keys in metrics.json") {
  const TemporaryFolder folder;
  auto options = small_options(folder);
  options.repeat = 2;
  options.compare_baseline = true;
  options.tune = 1;
  pets::run(options);
  for (const char* file :
       {"config.json", "history.csv", "best.safetensors", "metrics.json", "report.html",
        "checkpoint/checkpoint.json", "predictions.csv", "confusion.csv"}) {
    CAPTURE(file);
    CHECK(std::filesystem::exists(options.out / file));
  }
  const auto metrics = mtl::io::read_json(options.out / "metrics.json");
  const auto& estimate = metrics.at("estimate");
  CHECK(estimate.at("ci95").at(0) <= estimate.at("accuracy"));
  CHECK(estimate.at("ci95").at(1) >= estimate.at("accuracy"));
  for (const auto* part : {"/validation", "/test", "/baseline/test"}) {
    const auto& tasks = metrics.at(mtl::io::Json::json_pointer(part)).at("tasks");
    CHECK(tasks.at("breed").at("accuracy").is_number());
    CHECK(tasks.at("breed").at("top5").is_number());
    for (const char* task : {"ear", "hair", "figure"}) CHECK(tasks.at(task).at("bce").is_number());
  }
  const auto& comparison = metrics.at("comparison");
  CHECK(comparison.at("difference").is_number());
  CHECK(comparison.at("ci95").size() == 2);
  CHECK(comparison.at("p_value").is_number());
}

TEST_CASE("pets: the search of the lambdas leaves a table of its trials, and goes on from it") {
  const TemporaryFolder folder;
  const auto options = small_options(folder);
  const auto source = pets::open_source(options);
  const auto sample = source->sample(1);
  const pets::Plan plan{.recipe = source->recipe};
  const auto log = folder / "trials.csv";
  const auto search = pets::tune(sample, plan, 2, log);
  REQUIRE(search.trials.size() == 4);
  using Trial = mtl::evaluate::TuningTrial;
  CHECK(std::ranges::is_sorted(search.trials, std::ranges::greater(), &Trial::score));
  for (const auto& known : {plan.lambdas, pets::no_lambdas})
    CHECK(std::ranges::count(search.trials, known, &Trial::values) == 1);
  for (const auto& trial : search.trials)
    for (const double lambda : trial.values) CHECK((lambda >= 0 && lambda <= 2));
  CHECK(std::ranges::count(search.trials, search.best, &Trial::values) == 1);

  // Of a search that was stopped before its last trial.
  std::string text = mtl::io::read_file(log);
  std::ofstream(log) << text.substr(0, text.rfind('\n', text.size() - 2) + 1);
  const auto again = pets::tune(sample, plan, 2, log);
  CHECK(mtl::io::read_file(log) == text);
  CHECK(again.best == search.best);
}

TEST_CASE("pets: --compare tells whether one model for all tasks helps") {
  const TemporaryFolder folder;
  auto options = small_options(folder);
  options.epochs = 1;
  options.repeat = 2;
  options.compare = "single-task,kendall,fixed:weights=1/0/0/0";
  pets::run(options);
  const auto json = mtl::io::read_json(options.out / "comparison.json");
  CHECK(json.at("delta_m").size() == 2);
  const auto of = [&](const std::string& method, const std::string& task) {
    for (const auto& finding : json.at("findings"))
      if (finding.at("method") == method && finding.at("task") == task &&
          finding.at("metric") != "loss")
        return finding;
    throw mtl::Error("no {} of {}", task, method);
  };
  // With the weights of the others 0 the breed is learnt as by itself, and the others are not.
  const auto alone = of("fixed:weights=1/0/0/0", "breed");
  CHECK(alone.at("joint") == alone.at("single_task"));
  CHECK(of("kendall", "hair").at("joint").size() == 2);
  options.compare = "soup";
  options.out = folder / "none";
  CHECK(contains(error_text([&] { pets::run(options); }), "soup"));
  CHECK_FALSE(std::filesystem::exists(options.out));
}

// What the next test starts as a process of its own, to kill it.
TEST_CASE("pets: a run by the arguments in PETS_ARGUMENTS", "[.]") {
  const char* given = std::getenv("PETS_ARGUMENTS");
  if (given == nullptr) return;  // asked for by its name
  std::istringstream words(given);
  std::vector<std::string> arguments{"pets"};
  for (std::string word; words >> word;) arguments.push_back(word);
  REQUIRE(run_pets(arguments) == 0);
}

TEST_CASE("pets: a run that is killed goes on and ends with the same bits") {
  const TemporaryFolder folder;
  const auto options = small_options(folder);
  const auto arguments = [&](const std::string& out) {
    return "--data drawn --each 4 --epochs 6 --threads 1 --tune 1 --repeat 2 --compare-baseline "
           "--traits " +
           options.traits + " --out " + (folder / out).string();
  };
  const auto start_and_kill = [&](const std::string& line, const std::filesystem::path& at) {
    ::setenv("PETS_ARGUMENTS", line.c_str(), 1);
    const ::pid_t child = ::fork();
    if (child == 0) {
      ::execl("/proc/self/exe", "tests", "pets: a run by the arguments in PETS_ARGUMENTS", nullptr);
      std::_Exit(1);
    }
    int status = 0;
    while (!std::filesystem::exists(at) && ::waitpid(child, &status, WNOHANG) == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
  };
  std::istringstream words(arguments("whole"));
  std::vector<std::string> whole{"pets"};
  for (std::string word; words >> word;) whole.push_back(word);
  REQUIRE(run_pets(whole) == 0);

  const std::string out = (folder / "killed").string();
  start_and_kill(arguments("killed"), folder / "killed/checkpoint/trial-1/checkpoint.json");
  CHECK(std::filesystem::exists(folder / "killed/checkpoint/trial-1"));
  for (const char* at : {"checkpoint/checkpoint.json", "checkpoint/seed-1-baseline/checkpoint.json",
                         "best.safetensors", "checkpoint/seed-2/checkpoint.json"})
    start_and_kill("--resume --out " + out, folder / "killed" / at);
  REQUIRE(run_pets({"pets", "--resume", "--out", out}) == 0);
  for (const char* file : {"metrics.json", "history.csv", "predictions.csv", "confusion.csv",
                           "best.safetensors", "report.html"}) {
    CAPTURE(file);
    CHECK(mtl::io::read_file(folder / "whole" / file) ==
          mtl::io::read_file(folder / "killed" / file));
  }
  CHECK_FALSE(std::filesystem::exists(folder / "killed/checkpoint/seed-2"));

  // A finished run is left as it is, and a new one does not go on from it.
  const auto written = std::filesystem::last_write_time(folder / "killed/metrics.json");
  REQUIRE(run_pets({"pets", "--resume", "--out", out}) == 0);
  CHECK(std::filesystem::last_write_time(folder / "killed/metrics.json") == written);
  CHECK(run_pets({"pets", "--resume", "--seed", "3", "--out", out}) != 0);
  CHECK(run_pets({"pets", "--resume", "--out", (folder / "nowhere").string()}) == 1);
}

TEST_CASE("pets: a folder serves one process at a time") {
  const TemporaryFolder folder;
  const auto options = small_options(folder);
  std::filesystem::create_directories(options.out);
  const mtl::io::FileLock other(options.out / "pets.lock");
  CHECK(contains(error_text([&] { pets::run(options); }), "pets.lock\" is held by process"));
  CHECK_FALSE(std::filesystem::exists(options.out / "config.json"));
}

TEST_CASE("pets: a model file that is wrong is named with its key") {
  const TemporaryFolder folder;
  auto options = small_options(folder);
  options.out = folder.path();
  const auto error = [&](const std::string& about) {
    mtl::io::write_safetensors(folder / "best.safetensors", {{"x", torch::zeros({1})}},
                               {{"pets", about}});
    return error_text([&] { pets::predict(options, {folder / "none.jpg"}); });
  };
  const std::string breeds = R"({"breeds": ["pug"], "backbone": "", )";
  CHECK(contains(error("{"), "best.safetensors"));
  CHECK(contains(error("{}"), "best.safetensors: \"breeds\" is missing"));
  CHECK(contains(error(breeds + R"("widths": [1.5], "input_shape": [3]})"), "\"widths\"[0]"));
  CHECK(
      contains(error(breeds + R"("widths": [4], "input_shape": [1e300]})"), "\"input_shape\"[0]"));
  CHECK(contains(error(breeds + R"("widths": [], "input_shape": [3]})"), "no model has such"));
  CHECK(contains(error(breeds + R"("widths": [4], "input_shape": [3]})"), "another model"));
}

TEST_CASE("pets: prediction needs pictures that can be read") {
  const TemporaryFolder folder;
  const auto options = small_options(folder);
  pets::run(options);
  CHECK_THROWS_AS(pets::predict(options, {folder / "none.jpg"}), mtl::Error);
}

TEST_CASE("pets: all lambdas 0 is the model without auxiliary heads, to the bit") {
  const TemporaryFolder folder;
  const auto source = pets::open_source(small_options(folder));
  const auto sample = source->sample(3);
  pets::Plan plan{.recipe = source->recipe, .lambdas = pets::no_lambdas, .seed = 3};
  const auto with = pets::train(sample, plan);
  plan.tasks = {"breed"};
  plan.combiner = "sum";
  const auto without = pets::train(sample, plan);
  const auto all = with.model->named_parameters();
  for (const auto& item : without.model->named_parameters()) {
    CAPTURE(item.key());
    CHECK(item.value().equal(all[item.key()]));
  }
  CHECK(with.found.predictions["breed"].equal(without.found.predictions["breed"]));

  const auto helped = pets::train(sample, {.recipe = source->recipe, .seed = 3});
  CHECK_FALSE(helped.found.predictions["breed"].equal(with.found.predictions["breed"]));
}

TEST_CASE("pets: several folds judge every picture by a model that has not learnt from it") {
  // A picture says nothing but its own number: who has not seen it can only guess.
  constexpr int64_t pictures = 40;
  const mtl::TensorDataset learn({{"picture", 10 * torch::eye(pictures)}},
                                 {{"breed", torch::arange(pictures) % 2},
                                  {"ear", torch::full({pictures, 4}, 0.5)},
                                  {"hair", torch::full({pictures, 4}, 0.5)},
                                  {"figure", torch::full({pictures, 3}, 0.5)}});
  const pets::Sample sample{
      learn, learn, mtl::neighbour_folds(learn.targets()["breed"], 5), {}, {}};
  pets::Recipe recipe{.breeds = 2, .epochs = 30, .learning_rate = 1e-2, .widths = {16}};
  const auto run = pets::train(sample, {.recipe = recipe});
  CHECK(pets::each({run}, &pets::Trained::found).front() == 1);
  CHECK(pets::each({run}, &pets::Trained::judged).front() < 0.85);
  CHECK(run.judged.targets["breed"].sum().item<int64_t>() == pictures / 2);
}

TEST_CASE("pets: the estimate counts every breed alike") {
  pets::Trained run;  // eight of eight pictures of one breed, one of two of the other
  run.judged.targets.insert("breed", torch::tensor({0L, 0L, 0L, 0L, 0L, 0L, 0L, 0L, 1L, 1L}));
  run.judged.predictions.insert(
      "breed",
      torch::one_hot(torch::tensor({0L, 0L, 0L, 0L, 0L, 0L, 0L, 0L, 1L, 0L}), 2).to(torch::kFloat));
  const auto [accuracy, ci95] = pets::estimate({run});
  CHECK(accuracy == Approx(0.75));
  // As doubtful as 4 / (1/8 + 1/2) = 6.4 pictures, so 6, of which 5.
  const auto six = mtl::evaluate::proportion_interval(5, 6);
  CHECK(ci95.low == six.low);
  CHECK(ci95.high == six.high);
}

TEST_CASE("pets: one batch is learnt by heart, and what makes that impossible is named") {
  const TemporaryFolder folder;
  const auto source = pets::open_source(small_options(folder));
  const auto train = source->sample(1).learn;
  const pets::Plan plan{.recipe = source->recipe};
  CHECK(pets::overfit_one_batch(train, plan).reached_zero);

  const auto black = torch::zeros_like(train.inputs()["picture"]);
  const auto blind =
      pets::overfit_one_batch(mtl::TensorDataset({{"picture", black}}, train.targets()), plan);
  CHECK_FALSE(blind.reached_zero);
  REQUIRE_FALSE(blind.suspicions.empty());
  CHECK(contains(blind.suspicions.front(), "the same"));
}

TEST_CASE("pets: confused pairs count both directions") {
  const auto counts = torch::tensor({{5L, 2L, 0L}, {1L, 4L, 0L}, {4L, 0L, 1L}});
  const auto pairs = pets::most_confused(counts, 5);
  CHECK(pairs == std::vector<pets::ConfusedPair>{{0, 2}, {0, 1}});
  CHECK(pets::most_confused(counts, 1).size() == 1);
}

TEST_CASE("pets: a comparison over seeds pairs them, one over a single seed pairs pictures") {
  const auto run = [](const torch::Tensor& truth, const torch::Tensor& predicted) {
    pets::Trained trained;
    trained.found.predictions.insert("breed", torch::one_hot(predicted, 3).to(torch::kFloat));
    trained.found.targets.insert("breed", truth);
    return trained;
  };
  const auto truth = torch::tensor({0L, 1L, 2L, 0L});
  const auto wrong = torch::tensor({1L, 1L, 2L, 2L}), worse = torch::tensor({1L, 0L, 2L, 2L});
  const auto pictures = pets::compare({run(truth, truth)}, {run(truth, wrong)});
  CHECK(pictures.over == "pictures");
  CHECK(pictures.difference.mean == Approx(0.5));
  const auto seeds =
      pets::compare({run(truth, truth), run(truth, truth)}, {run(truth, wrong), run(truth, worse)});
  CHECK(seeds.over == "seeds");
  CHECK(seeds.difference.mean == Approx(0.625));
  CHECK(seeds.difference.degrees_of_freedom == 1);
}
