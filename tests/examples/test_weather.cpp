#include <fmt/format.h>

#include <torch/torch.h>
#include <unistd.h>

#include <catch.hpp>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "doubt.hpp"
#include "encoding.hpp"
#include "error_text.hpp"
#include "files/read_weather.hpp"
#include "members.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/io/file_lock.hpp"
#include "mtl/io/json.hpp"
#include "mtl/task/losses/cross_entropy.hpp"
#include "mtl/task/losses/huber.hpp"
#include "network.hpp"
#include "program.hpp"
#include "results.hpp"
#include "run_example.hpp"
#include "temporary_folder.hpp"

namespace {

using Catch::Matchers::WithinAbs;

const std::string bundled =
    std::string(MTL_SOURCE_DIR) + "/examples/weather/data/six_elements_20131020_20201019_cp932.csv";

Finished run_weather(std::vector<std::string> arguments, Pictures pictures = Pictures::no) {
  arguments.insert(arguments.begin(), "weather");
  return run_example(weather::run_program, arguments, pictures);
}

/// Days of invented weather from 2021-01-01, whose sky follows the sunshine.
std::string invented_csv(int days) {
  std::string text = "year,month,day,temp,rh,atm,sunlight,precipitation,weather\n";
  const weather::Date first = std::chrono::sys_days(std::chrono::year(2021) / 1 / 1);
  for (int i = 0; i < days; ++i) {
    const std::chrono::year_month_day date(first + std::chrono::days(i));
    const double wave = std::sin(0.7 * i) + std::sin(0.31 * i);
    const char* sky = wave > 0.8 ? "快晴" : wave > 0 ? "晴後曇" : wave > -1 ? "曇一時雨" : "雨";
    text += fmt::format("{},{},{},{:.1f},{:.0f},{:.1f},{:.1f},{:.1f},{}\n",
                        static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                        static_cast<unsigned>(date.day()), 15 + 8 * wave, 60 - 15 * wave,
                        1010 + 4 * wave, std::max(0.0, 5 * wave), std::max(0.0, -9 * wave), sky);
  }
  return text;
}

std::string written(const TemporaryFolder& folder, const std::string& text) {
  const auto path = folder / "days.csv";
  mtl::io::write_file_atomically(path, text);
  return path.string();
}

weather::Days days_of(const std::string& file) {
  const std::vector<std::filesystem::path> files = {file};
  return weather::read_weather(files).days;
}

bool same_bytes(const std::filesystem::path& a, const std::filesystem::path& b) {
  return mtl::io::read_file(a) == mtl::io::read_file(b);
}

}  // namespace

TEST_CASE("Weather: the bundled years make 1774 windows for training and 753 for validation") {
  const weather::Parts parts = weather::split(days_of(bundled));
  CHECK(parts.train.targets.size(0) == 1774);
  CHECK(parts.valid.targets.size(0) == 753);

  std::map<std::string, mtl::io::Json> scores;
  for (const auto& [name, found] : weather::baselines(parts)) scores[name] = found;
  const auto score_of = [&](const char* method, const char* task, const char* metric) {
    return scores.at(method).at(task).at(metric).get<double>();
  };
  CHECK_THAT(score_of("persistence", "temp", "mae"), WithinAbs(1.63, 0.01));
  CHECK_THAT(score_of("persistence", "rh", "mae"), WithinAbs(11.17, 0.02));
  CHECK(score_of("ridge", "temp", "mae") < score_of("persistence", "temp", "mae"));
  CHECK(score_of("ridge", "rh", "mae") < score_of("persistence", "rh", "mae"));
  CHECK(score_of("ridge", "weather", "accuracy") > score_of("majority", "weather", "accuracy"));
  CHECK_FALSE(scores.at("majority").contains("temp"));
}

TEST_CASE("Weather: inputs are standardised on the training part; targets turn back into degrees") {
  const weather::Parts parts = weather::split(days_of(bundled));
  const weather::Days &train = parts.train.days, &valid = parts.valid.days;
  for (const weather::Recipe recipe : {weather::Recipe::article, weather::Recipe::mtl}) {
    const weather::Encoding encoding(recipe, parts.classes, &train);
    const auto inputs = encoding->inputs(train);
    CHECK(inputs.size(1) == encoding->input_size());
    if (recipe == weather::Recipe::article) CHECK(inputs.size(1) == 10);
    CHECK(inputs.slice(1, 0, 5).mean(0).abs().max().item<double>() < 1e-3);
    CHECK((inputs.slice(1, 0, 5).std(0) - 1).abs().max().item<double>() < 1e-3);
    // A day's inputs do not depend on which other days are there.
    CHECK(encoding->inputs(train.part(40, 60)).allclose(inputs.slice(0, 40, 60), 1e-5, 1e-6));

    mtl::NamedTensors outputs = encoding->targets(valid);
    for (auto& output : outputs)
      output.value() = output.value().index_select(0, parts.valid.targets);
    const auto units =
        encoding->in_units(outputs, valid.filled.index_select(0, parts.valid.today()));
    const auto truth = parts.truth(parts.valid);
    for (const char* task : {"temp", "rh"}) CHECK(units[task].allclose(truth[task], 1e-5, 1e-5));
  }
}

TEST_CASE("Weather: the loss of several members is the mean of their losses") {
  torch::manual_seed(1);
  const weather::OfMembers<mtl::Huber> loss{{.delta = 0.3}, 2.0};
  const auto prediction = torch::randn({5, 3, 1}), target = torch::randn({5, 1});
  auto expected = torch::zeros({5});
  for (int64_t member = 0; member < 3; ++member) {
    expected += mtl::Huber{.delta = 0.3}(prediction.select(1, member), target).values / 3;
  }
  CHECK(loss(prediction, target).values.allclose(2 * expected));
  const auto one = prediction.select(1, 0);
  CHECK(loss(one, target).values.allclose(2 * mtl::Huber{.delta = 0.3}(one, target).values));

  const weather::OfMembers<mtl::CrossEntropy> weighted{
      {.class_weights = torch::tensor({1.0F, 3.0F})}, 1.0};
  const auto labels = torch::tensor({0, 1, 1}, torch::kLong);
  CHECK(weighted(torch::randn({3, 4, 2}), labels).weights.equal(torch::tensor({1.0F, 3.0F, 3.0F})));
}

TEST_CASE("Weather: in evaluation the members give one answer, whose classes sum to one") {
  const torch::NoGradGuard no_grad;
  weather::MemberHeads heads(3, 4, 2);
  const auto representation = torch::randn({5, 3, 4});
  const auto answers = heads->forward(representation);
  CHECK(answers.sizes().vec() == std::vector<int64_t>{5, 3, 2});
  heads->eval();
  CHECK(heads->forward(representation).exp().allclose(answers.softmax(2).mean(1), 1e-5, 1e-6));
}

TEST_CASE("Weather: the same seed gives the same bytes, another seed does not") {
  const TemporaryFolder folder;
  const std::string data = written(folder, invented_csv(160));
  const auto train = [&](const std::string& out, const std::string& seed,
                         const std::string& recipe) {
    return run_weather({"--data", data, "--out", folder / out, "--seed", seed, "--epochs", "2",
                        "--threads", "1", "--recipe", recipe})
        .code;
  };
  for (const std::string recipe : {"mtl", "article"}) {
    REQUIRE(train("a", "1", recipe) == 0);
    REQUIRE(train("b", "1", recipe) == 0);
    REQUIRE(train("c", "2", recipe) == 0);
    for (const std::string file : {"history.csv", "best.safetensors"}) {
      CHECK(same_bytes(folder / "a" / file, folder / "b" / file));
      CHECK_FALSE(same_bytes(folder / "a" / file, folder / "c" / file));
    }
  }
}

TEST_CASE("Weather: a run stopped by Ctrl-C and resumed ends with the same bytes") {
  const TemporaryFolder folder;
  const std::string data = written(folder, invented_csv(200));
  const std::vector<std::string> options = {"--data",    data, "--epochs", "40",
                                            "--threads", "1",  "--out"};
  auto whole = options, stopped = options;
  whole.push_back(folder / "whole");
  stopped.push_back(folder / "stopped");
  SECTION("from the last whole epoch") {}
  SECTION("from a step within an epoch") {
    stopped.insert(stopped.end(), {"--checkpoint-steps", "1"});
  }
  REQUIRE(run_weather(whole).code == 0);

  std::thread user([checkpoint = folder / "stopped" / "checkpoint" / "checkpoint.json"] {
    while (!std::filesystem::exists(checkpoint)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::raise(SIGINT);
  });
  const Finished interrupted = run_weather(stopped);
  user.join();
  REQUIRE(interrupted.code == 130);
  CHECK_FALSE(std::filesystem::exists(folder / "stopped" / "metrics.json"));

  REQUIRE(run_weather({"--resume", "--out", folder / "stopped"}).code == 0);
  for (const std::string file : {"history.csv", "best.safetensors"}) {
    CHECK(same_bytes(folder / "whole" / file, folder / "stopped" / file));
  }
}

TEST_CASE("Weather: --recipe all leaves both networks, the baselines and a report") {
  const TemporaryFolder folder;
  const std::string data = written(folder, invented_csv(160));
  REQUIRE(run_weather({"--data", data, "--out", folder / "out", "--recipe", "all", "--epochs", "1",
                       "--combiner", "kendall", "--class-weights", "inverse-frequency"},
                      Pictures::yes)
              .code == 0);
  const auto metrics = mtl::io::read_json(folder / "out" / "metrics.json");
  const auto& article = metrics.at("recipes").at("article").at("tasks");
  const auto& baselines = metrics.at("baselines");
  for (const std::string task : {"temp", "rh"}) {
    for (const std::string metric : {"mae", "nmae"}) {
      CHECK(metrics.at("tasks").at(task).at(metric).get<double>() > 0);
      CHECK(article.at(task).at(metric).get<double>() > 0);
      CHECK(baselines.at("persistence").at(task).at(metric).get<double>() > 0);
      CHECK(baselines.at("ridge").at(task).at(metric).get<double>() > 0);
    }
  }
  CHECK(metrics.at("tasks").at("weather").at("accuracy").get<double>() >= 0);
  CHECK(baselines.at("majority").at("weather").at("accuracy").get<double>() > 0);
  CHECK(metrics.at("epochs") == 1);
  CHECK(metrics.at("best_epoch") == 1);
  CHECK(metrics.at("seconds_per_epoch").get<double>() > 0);
  for (const std::string file :
       {"config.json", "history.csv", "best.safetensors", "report.html",
        "checkpoint/checkpoint.json", "article/metrics.json", "article/report.html"}) {
    CHECK(std::filesystem::exists(folder / "out" / file));
  }
}

TEST_CASE("Weather: a saved network forecasts the day after the last one") {
  const TemporaryFolder folder;
  const std::string data = written(folder, invented_csv(160));
  for (const std::string recipe : {"mtl", "article"}) {
    REQUIRE(
        run_weather({"--data", data, "--out", folder / "out", "--epochs", "1", "--recipe", recipe})
            .code == 0);
    CHECK(run_weather({"--predict", "--data", data, "--out", folder / "out"}).code == 0);

    auto network = weather::Network::load(folder / "out" / "best.safetensors");
    const auto days = days_of(data);
    const auto all = weather::forecast(network, days);
    CHECK_THAT(all["weather"].sum().item<double>(), WithinAbs(1, 1e-5));
    // The last 14 days are all it looks at.
    const auto last = days.part(days.size() - 14, days.size());
    CHECK(weather::forecast(network, last)["temp"].allclose(all["temp"], 0, 1e-9));
    CHECK(contains(error_text([&] { weather::forecast(network, days.part(0, 13)); }),
                   "last 14 days"));

    // The encoding comes back with the weights.
    const weather::Parts parts = weather::split(days);
    const weather::Encoding encoding(network.encoding->recipe(), parts.classes, &parts.train.days);
    CHECK(network.encoding->classes().classes() == parts.classes.classes());
    CHECK(network.encoding->inputs(days).equal(encoding->inputs(days)));
  }
  CHECK(contains(run_weather({"--predict", "--data", data, "--out", folder / "nowhere"}).errors,
                 "best.safetensors"));
}

TEST_CASE("Weather: intervals follow the season's errors and hold four of five days") {
  // Errors of 1 on average in the middle of the year and of 3 at its ends, in degrees; ten times
  // that in per cent.
  const auto made_up = [](int64_t first, int64_t count) {
    weather::Forecasts made;
    made.days = torch::arange(first, first + count);
    const auto usual = 2 + (made.days.to(torch::kFloat64) * (2 * M_PI / 365.2425)).cos();
    const auto truth = torch::randn({count}, torch::kFloat64) * usual * std::sqrt(M_PI / 2);
    const auto sky = torch::remainder(made.days, 2);
    made.found.predictions = {{"temp", torch::zeros({count}, torch::kFloat64)},
                              {"rh", torch::full({count}, 50.0, torch::kFloat64)},
                              {"weather", torch::tensor({{0.9, 0.1}}).log().expand({count, 2})}};
    made.found.targets = {{"temp", truth}, {"rh", 50 + 10 * truth}, {"weather", sky}};
    return made;
  };
  torch::manual_seed(1);
  const auto doubt = weather::Doubt::learn(made_up(0, 2000), made_up(2000, 800), 2);
  REQUIRE(doubt);
  CHECK(doubt->until == 2799);
  const auto judged = doubt->judge(made_up(2800, 4000));
  for (const char* task : {"temp", "rh"})
    CHECK_THAT(judged[task]["coverage"].get<double>(), WithinAbs(0.8, 0.04));
  const auto width = [&](weather::Element task, int64_t day) {
    return doubt->half_width(task, torch::tensor({day})).item<double>();
  };
  // Four of five errors of a normal distribution are below 1.28 deviations, 1.61 mean errors.
  CHECK_THAT(width(weather::temp, 3653),
             WithinAbs(3 * 1.61, 0.5));  // ten years: a first of January
  CHECK_THAT(width(weather::temp, 3653 + 183), WithinAbs(1.61, 0.4));
  CHECK_THAT(width(weather::rh, 3653) / width(weather::temp, 3653), WithinAbs(10, 1e-6));
  CHECK_THAT(judged["weather"]["log_loss"].get<double>(),
             WithinAbs(-(std::log(0.9) + std::log(0.1)) / 2, 1e-6));
  CHECK_THAT(judged["weather"]["climate_log_loss"].get<double>(), WithinAbs(std::log(2), 0.01));

  // Intervals grow with errors that grow by half, and hold as many days.
  weather::Forecasts harder = made_up(6800, 3000);
  for (const char* target : {"temp", "rh"}) {
    const double middle = target == std::string("rh") ? 50 : 0;
    harder.found.targets[target] = middle + 1.5 * (harder.found.targets[target] - middle);
    CHECK_THAT(doubt->judge(harder)[target]["coverage"].get<double>(), WithinAbs(0.8, 0.015));
  }
  weather::Doubt after = *doubt;
  CHECK(after.follow(weather::temp, harder)[0].item<double>() == width(weather::temp, 6800));
  CHECK_THAT(after.reach[weather::temp][3] / doubt->reach[weather::temp][3], WithinAbs(1.5, 0.3));
  CHECK(after.reach[weather::rh] == doubt->reach[weather::rh]);
  harder.found.targets["temp"].fill_(
      std::nan(""));  // days of which nothing is known change nothing
  const double reach = after.reach[weather::temp][3];
  after.follow(weather::temp, harder);
  CHECK(after.reach[weather::temp][3] == reach);

  const auto read = mtl::io::parse_json(mtl::io::json_text(*doubt)).get<weather::Doubt>();
  CHECK(read.reach == doubt->reach);
  CHECK(read.climate == doubt->climate);
  CHECK(read.until == doubt->until);
  CHECK_FALSE(weather::Doubt::learn(made_up(0, 2000), made_up(2000, 19), 2));
}

TEST_CASE("Weather: a network says how far it is to be trusted, and is judged on later days") {
  const TemporaryFolder folder;
  const std::string out = folder / "out", data = written(folder, invented_csv(300));
  REQUIRE(run_weather({"--data", data, "--out", out, "--epochs", "1"}).code == 0);
  const auto doubt = mtl::io::read_json(folder / "out" / "metrics.json").at("doubt");
  CHECK(doubt.at("days") == 38);  // the second half of 75
  CHECK(doubt.at("temp").at("coverage").get<double>() <= 1);
  CHECK(doubt.at("rh").at("width").get<double>() > 0);
  CHECK(doubt.at("weather").at("climate_log_loss").get<double>() > 0);

  const auto later = folder / "later.csv";
  mtl::io::write_file_atomically(later, invented_csv(400));
  REQUIRE(run_weather({"--test", "--data", later.string(), "--out", out}).code == 0);
  const auto test = mtl::io::read_json(folder / "out" / "test.json");
  CHECK(test.at("doubt").at("days") == 100);  // from the 300th day, the 400th is no target
  CHECK(test.at("tasks").at("temp").at("mae").get<double>() > 0);
  const Finished seen = run_weather({"--test", "--data", data, "--out", out});
  CHECK(seen.code == 1);
  CHECK(contains(seen.errors, "later than 2021-10-26"));
}

TEST_CASE("Weather: --compare tells whether one network for all tasks helps, and goes on") {
  const TemporaryFolder folder;
  const std::string data = written(folder, invented_csv(160));
  const std::vector<std::string> arguments = {"--data",    data,
                                              "--out",     folder / "out",
                                              "--compare", "single-task,sum,upgrad",
                                              "--repeat",  "2",
                                              "--epochs",  "1"};
  const Finished first = run_weather(arguments);
  REQUIRE(first.code == 0);
  CHECK(contains(first.errors, "single-task (weather), seed 1"));
  const auto comparison = mtl::io::read_file(folder / "out" / "comparison.json");
  const auto findings = mtl::io::parse_json(comparison).at("findings");
  CHECK(findings.front().at("method") == "sum");
  CHECK(findings.back().at("method") == "upgrad");
  CHECK(findings.front().at("joint").size() == 2);

  std::filesystem::remove_all(folder / "out" / "compare" / "upgrad" / "seed-1");
  const Finished again = run_weather({"--resume", "--out", folder / "out"});
  CHECK(again.code == 0);
  CHECK(contains(again.errors, "upgrad (temp, rh, weather), seed 1"));
  CHECK_FALSE(contains(again.errors, "seed 0"));
  CHECK(mtl::io::read_file(folder / "out" / "comparison.json") == comparison);
}

TEST_CASE("Weather: a folder serves one run at a time") {
  const TemporaryFolder folder;
  const std::string data = written(folder, invented_csv(160));
  std::filesystem::create_directory(folder / "out");
  const mtl::io::FileLock other(folder / "out" / "run.lock");
  const Finished finished = run_weather({"--data", data, "--out", folder / "out", "--epochs", "1"});
  CHECK(finished.code == 1);
  CHECK(contains(finished.errors, "is held by process " + std::to_string(::getpid())));
  CHECK_FALSE(std::filesystem::exists(folder / "out" / "config.json"));
}

TEST_CASE("Weather: a config.json that no run wrote is an error with file and key") {
  const TemporaryFolder folder;
  const std::string data = written(folder, invented_csv(160));
  REQUIRE(run_weather({"--data", data, "--out", folder / "out", "--epochs", "1"}).code == 0);
  const auto path = folder / "out" / "config.json";
  const mtl::io::Json good = mtl::io::read_json(path);
  const auto refuse = [&](const std::string& key, const mtl::io::Json& value,
                          const std::string& expected) {
    mtl::io::Json config = good;
    if (value.is_null())
      config.erase(key);
    else
      config[key] = value;
    mtl::io::write_json(path, config);
    const Finished finished = run_weather({"--resume", "--out", folder / "out"});
    CAPTURE(finished.errors);
    CHECK(finished.code == 1);
    CHECK(contains(finished.errors, path.string() + ": " + key));
    CHECK(contains(finished.errors, expected));
    CHECK(std::count(finished.errors.begin(), finished.errors.end(), '\n') == 1);
  };
  refuse("recipe", "soup", "soup");
  refuse("recipe", 3, "number");
  refuse("class_weights", "soup", "soup");
  refuse("combiner", mtl::io::Json::array(), "array");
  refuse("seed", -1, "-1");
  refuse("seed", "3", "expected an integer");
  refuse("seed", 0.0, "expected an integer");
  refuse("seed", uint64_t{1} << 63, "expected an integer");
  refuse("epochs", -2, "-2");
  refuse("threads", 0, "0");
  refuse("threads", 100000, "100000");
  refuse("data", "days.csv", "array");
  refuse("data", mtl::io::Json::array({1}), "number");
  refuse("seed", nullptr, "not found");
}

TEST_CASE("Weather: gaps, missing labels and a weather that training never saw are survived") {
  const TemporaryFolder folder;
  const std::string text = invented_csv(300);
  std::string gappy;
  size_t line = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at) + 1;
    std::string row = text.substr(at, end - at);
    at = end;
    ++line;
    if (line > 60 && line < 64) continue;  // three days without a row
    const std::string numbers = row.substr(0, row.rfind(','));
    if (line > 280) row = numbers + ",雪\n";
    if (line % 17 == 0) row = numbers + ",\n";  // no weather
    gappy += row;
  }
  const std::string data = written(folder, gappy);
  for (const std::string recipe : {"mtl", "article"}) {
    const Finished finished =
        run_weather({"--data", data, "--out", folder / "out", "--epochs", "1", "--recipe", recipe});
    CAPTURE(finished.errors);
    REQUIRE(finished.code == 0);
    CHECK(contains(finished.errors, "warning: "));
    const auto tasks = mtl::io::read_json(folder / "out" / "metrics.json").at("tasks");
    CHECK(tasks.at("weather").at("accuracy").is_number());
    CHECK(tasks.at("temp").at("mae").is_number());
  }
}

TEST_CASE("Weather: a wrong option or file: one line on stderr, exit code 1, nothing written") {
  const TemporaryFolder folder;
  const std::string good = written(folder, invented_csv(160));
  const std::string out = folder / "out";
  const auto refuse = [&](std::vector<std::string> options, const std::string& expected) {
    options.insert(options.end(), {"--out", out});
    const Finished finished = run_weather(options);
    CAPTURE(finished.errors);
    CHECK(finished.code == 1);
    CHECK(contains(finished.errors, expected));
    CHECK(std::count(finished.errors.begin(), finished.errors.end(), '\n') == 1);
    CHECK_FALSE(std::filesystem::exists(out));
  };
  refuse({"--recipe", "soup"}, "soup");
  refuse({"--data", good, "--combiner", "soup"}, "soup");
  refuse({"--data", good, "--class-weights", "soup"}, "soup");
  refuse({"--epochs", "0"}, "--epochs");
  refuse({"--epochs", "many"}, "--epochs");
  refuse({"--seed", "-1"}, "--seed");
  refuse({"--threads", "0"}, "--threads");
  refuse({"--colour"}, "--colour");
  refuse({"--data", folder / "nowhere.csv"}, "nowhere.csv");
  refuse({"--resume"}, "config.json");
  refuse({"--resume", "--seed", "3"}, "--seed");
  refuse({"--data", good, "--compare", "sum,soup"}, "soup");
  refuse({"--data", good, "--compare", "sum", "--recipe", "all"}, "all");
  refuse({"--test", "--predict"}, "--predict");

  std::ofstream(folder / "short.csv") << invented_csv(50);
  refuse({"--data", folder / "short.csv"}, "At least 51 days");
  std::ofstream(folder / "no_weather.csv")
      << "year,month,day,temp,rh,atm,sunlight,precipitation\n2021,1,1,3,50,1010,4,0\n";
  refuse({"--data", folder / "no_weather.csv"}, "weather");
}
