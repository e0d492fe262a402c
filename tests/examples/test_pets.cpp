#include <fstream>
#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "error_text.hpp"
#include "mtl/core/core.hpp"
#include "mtl/io/json.hpp"
#include "pets/drawn.hpp"
#include "pets/findings.hpp"
#include "pets/program.hpp"
#include "pets/study.hpp"
#include "pets/traits.hpp"
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

void quiet(const std::string&) {}

}  // namespace

TEST_CASE("pets: the bundled traits have a row for each of the 37 breeds") {
  const auto table = pets::TraitTable::read(bundled_traits);
  CHECK(table.breeds().size() == 37);
  CHECK(table.of_breed("english_cocker_spaniel") ==
        std::vector<double>{0, 0, 0, 1, 0.5, 0, 0, 0.5, 0, 1, 0});
}

TEST_CASE("pets: a trait file that is wrong says where") {
  const TemporaryFolder folder;
  const auto error = [&](const std::string& text) {
    const auto file = write_text(folder / "traits.csv", text);
    return error_text([&] { (void)pets::TraitTable::read(file); });
  };
  const std::string pug = "pug,0,0,0,1,0,0,1,0,1,0,0\n";

  const auto unknown = error("breed," + header + pug + "Abysinian,1,0,0,0,0,0,1,0,0,0,1\n");
  CHECK(contains(unknown, "\"Abysinian\" is unknown"));
  CHECK(contains(unknown, "traits.csv"));

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
  CHECK(pets::TraitTable::read(file, mine).of_breed("my_cat").front() == 1);
}

TEST_CASE("pets: scores of a picture come before those of its breed; unknown ones are missing") {
  const TemporaryFolder folder;
  auto table = pets::TraitTable::read(
      write_text(folder / "traits.csv", "breed," + header + "pug,0,0.3,0,0.7,0,0,1,0,,,\n"));
  table.read_pictures(
      write_text(folder / "pictures.csv", "picture,ear_erect,ear_drop\npug_2,1,0\npug_3,,0.5\n"));
  const std::vector<std::string> names{"pug_1", "pug_2", "pug_3", "fox_1"};
  const std::vector<std::string> breeds{"pug", "pug", "pug", "fox"};
  const auto targets = table.targets(names, breeds);
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
  CHECK(pets::parse_lambdas("ear=0,hair=0,figure=0") == pets::Lambdas::none());
  CHECK(pets::parse_lambdas("hair=2").hair == 2);
  CHECK(pets::parse_lambdas("hair=2").ear == pets::Lambdas{}.ear);
  CHECK_THROWS_AS(pets::parse_lambdas("tail=1"), mtl::Error);
  CHECK_THROWS_AS(pets::parse_lambdas("ear=-1"), mtl::Error);
  CHECK_THROWS_AS(pets::parse_lambdas("ear"), mtl::Error);
}

TEST_CASE("pets: drawn pictures repeat by seed and follow the trait table") {
  const auto table = pets::TraitTable::read(bundled_traits);
  const auto breeds = table.breeds();
  const auto once = pets::draw_pets(table, breeds, 5, 24, 7);
  const auto again = pets::draw_pets(table, breeds, 5, 24, 7);
  const auto other = pets::draw_pets(table, breeds, 5, 24, 8);
  CHECK(once.pictures.equal(again.pictures));
  CHECK_FALSE(once.pictures.equal(other.pictures));
  for (int64_t row = 0; row < once.breeds.numel(); ++row) {
    const auto& scores =
        table.of_breed(breeds[static_cast<size_t>(once.breeds[row].item<int64_t>())]);
    const auto ear = once.traits["ear"][row].argmax().item<int64_t>();
    CHECK(scores[static_cast<size_t>(ear)] > 0);
  }
  CHECK(once.traits["ear"].sum(1).eq(1).all().item<bool>());
  CHECK_THROWS_AS(pets::draw_pets(table, breeds, 0, 24, 7), mtl::Error);
}

TEST_CASE("pets: a run writes its directory, with the fixed keys in metrics.json") {
  const TemporaryFolder folder;
  auto options = small_options(folder);
  options.repeat = 2;
  options.compare_baseline = true;
  options.tune = 1;
  pets::run(options, quiet);
  for (const char* file :
       {"config.json", "history.csv", "best.safetensors", "metrics.json", "report.html",
        "checkpoint/checkpoint.json", "predictions.csv", "confusion.csv"}) {
    CAPTURE(file);
    CHECK(std::filesystem::exists(options.out / file));
  }
  const auto metrics = mtl::io::read_json(options.out / "metrics.json");
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

TEST_CASE("pets: prediction needs pictures that can be read") {
  const TemporaryFolder folder;
  const auto options = small_options(folder);
  pets::run(options, quiet);
  CHECK_THROWS_AS(pets::predict(options, {folder / "none.jpg"}, quiet), mtl::Error);
}

TEST_CASE("pets: all lambdas 0 is the model without auxiliary heads, to the bit") {
  const TemporaryFolder folder;
  const auto options = small_options(folder);
  const auto source = pets::open_source(options, quiet);
  const auto parts = source.sample(3).parts;
  auto with = pets::train(parts, source.recipe, pets::Lambdas::none(), 3);
  auto without = pets::train(parts, source.recipe, pets::Lambdas::none(), 3, {.main_only = true});
  const auto all = with.model->named_parameters();
  for (const auto& item : without.model->named_parameters()) {
    CAPTURE(item.key());
    CHECK(item.value().equal(all[item.key()]));
  }
  CHECK(with.test.predictions["breed"].equal(without.test.predictions["breed"]));

  const auto helped = pets::train(parts, source.recipe, pets::Lambdas{}, 3);
  CHECK_FALSE(helped.test.predictions["breed"].equal(with.test.predictions["breed"]));
}

TEST_CASE("pets: one batch is learnt by heart, and what makes that impossible is named") {
  const TemporaryFolder folder;
  const auto options = small_options(folder);
  const auto source = pets::open_source(options, quiet);
  auto train = source.sample(1).parts.train;
  const auto good = pets::overfit_one_batch(train, source.recipe, {}, 1);
  CHECK(good.reached_zero);

  train.inputs = torch::zeros_like(train.inputs);
  const auto blind = pets::overfit_one_batch(train, source.recipe, {}, 1);
  CHECK_FALSE(blind.reached_zero);
  REQUIRE_FALSE(blind.suspicions.empty());
  CHECK(contains(blind.suspicions.front(), "the same"));
}

TEST_CASE("pets: confused pairs count both directions") {
  const auto counts = torch::tensor({{5L, 2L, 0L}, {1L, 4L, 0L}, {4L, 0L, 1L}});
  const auto pairs = pets::most_confused(counts, 5);
  REQUIRE(pairs.size() == 2);
  CHECK((pairs[0].first == 0 && pairs[0].second == 2 && pairs[0].count == 4));
  CHECK((pairs[1].first == 0 && pairs[1].second == 1 && pairs[1].count == 3));
}

TEST_CASE("pets: a comparison over seeds pairs them, one over a single seed pairs pictures") {
  const auto run = [](double accuracy, const torch::Tensor& predicted) {
    pets::Trained trained;
    trained.test.accuracy = accuracy;
    trained.test.predicted = predicted;
    return trained;
  };
  const auto truth = torch::tensor({0L, 1L, 2L, 0L});
  const auto right = truth.clone(), wrong = torch::tensor({1L, 1L, 2L, 2L});
  const auto pictures = pets::compare({run(1, right)}, {run(.5, wrong)}, {truth});
  CHECK(pictures.over == "pictures");
  CHECK(pictures.difference.mean == Approx(0.5));
  const auto seeds = pets::compare({run(.9, right), run(.8, right)},
                                   {run(.7, wrong), run(.7, wrong)}, {truth, truth});
  CHECK(seeds.over == "seeds");
  CHECK(seeds.difference.mean == Approx(0.15));
  CHECK(seeds.difference.degrees_of_freedom == 1);
}
