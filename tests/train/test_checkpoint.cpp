#include <cmath>

#include "catch.hpp"
#include "checkpointed_run.hpp"

namespace {

namespace fs = std::filesystem;

struct StopAfter {
  int64_t epoch;
  void on_epoch_end(mtl::TrainState& state) {
    if (state.epoch == epoch) state.stop("the test stops here");
  }
};

struct ThrowInEpoch {
  int64_t epoch;
  void on_epoch_begin(mtl::TrainState& state) {
    if (state.epoch == epoch) throw mtl::Error("the test throws here");
  }
};

/// Every loss from the second epoch on is worse: early stopping has something to do.
mtl::Watch rising() {
  return [](const mtl::EpochRecord& r) { return static_cast<double>(r.epoch); };
}

}  // namespace

TEST_CASE("Checkpoint: stopped at any epoch and resumed, a run ends with the same bytes") {
  const auto with = [](int64_t stop_after) {
    return Ingredients{.callbacks = {mtl::BestModel{}, mtl::StepLr{.step_size = 2, .gamma = 0.5},
                                     mtl::ReduceOnPlateauLr{.factor = 0.5, .patience = 0},
                                     mtl::EarlyStopping{.patience = 9}, StopAfter{stop_after}}};
  };
  const TemporaryFolder whole;
  const auto straight = checkpointed(with(0), {.directory = whole.path()});
  for (int64_t stop_after = 1; stop_after < 4; ++stop_after) {
    const TemporaryFolder parts;
    checkpointed(with(stop_after), {.directory = parts.path()});
    const auto resumed = checkpointed(with(0), {.directory = parts.path(), .resume = true});
    CHECK(resumed.weights.equal(straight.weights));
    CHECK(resumed.run.history.csv() == straight.run.history.csv());
    CHECK(resumed.run.steps == straight.run.steps);
    CHECK(contents(parts.path()) == contents(whole.path()));
  }
}

TEST_CASE("Checkpoint: a run that an exception ended can be resumed, too") {
  const TemporaryFolder whole, parts;
  const auto straight = checkpointed({}, {.directory = whole.path()});
  CHECK_THROWS_AS(checkpointed({.callbacks = {ThrowInEpoch{3}}}, {.directory = parts.path()}),
                  mtl::Error);
  CHECK(checkpointed({}, {.directory = parts.path(), .resume = true})
            .weights.equal(straight.weights));
}

TEST_CASE("Checkpoint: an early-stopped run goes on with more patience, and only then") {
  const auto with = [](int64_t patience) {
    return Ingredients{.epochs = 6,
                       .callbacks = {mtl::EarlyStopping{.patience = patience, .watch = rising()}}};
  };
  const TemporaryFolder whole, parts;
  const auto straight = checkpointed(with(4), {.directory = whole.path()});
  CHECK(checkpointed(with(2), {.directory = parts.path()}).run.epochs() == 3);
  const mtl::Checkpointing resume{.directory = parts.path(), .resume = true};
  CHECK(checkpointed(with(2), resume).run.epochs() == 3);
  const auto resumed = checkpointed(with(4), resume);
  CHECK(resumed.run.epochs() == 5);
  CHECK(resumed.weights.equal(straight.weights));
}

TEST_CASE("Checkpoint: a run that stopped by task goes on with more patience and more epochs") {
  const auto with = [](int64_t patience, int64_t epochs) {
    return Ingredients{
        .lr = 0.5,  // so that losses rise soon
        .epochs = epochs,
        .callbacks = {mtl::TaskStopping{.patience = patience, .when = mtl::StopWhen::any}}};
  };
  const TemporaryFolder whole, parts;
  const auto straight = checkpointed(with(9, 12), {.directory = whole.path()});
  CHECK(checkpointed(with(1, 8), {.directory = parts.path()}).run.stop_reason ==
        mtl::StopReason::early_stopping);
  const auto resumed = checkpointed(with(9, 12), {.directory = parts.path(), .resume = true});
  CHECK(resumed.run.history.csv() == straight.run.history.csv());
  CHECK(resumed.weights.equal(straight.weights));
}

TEST_CASE("Checkpoint: a run that freezes tasks is another one with more patience") {
  const auto with = [](int64_t patience) {
    return Ingredients{.epochs = 1,
                       .callbacks = {mtl::TaskStopping{.patience = patience, .freeze = true}}};
  };
  const TemporaryFolder folder;
  checkpointed(with(1), {.directory = folder.path()});
  CHECK(contains(resume_error(with(2), folder.path()), "found freezes after 1 epochs"));
}

TEST_CASE("Checkpoint: a finished run goes on with more epochs") {
  const TemporaryFolder whole, parts;
  const auto with = [](int64_t epochs) {
    return Ingredients{.epochs = epochs, .callbacks = {mtl::StepLr{.step_size = 2}}};
  };
  const auto straight = checkpointed(with(5), {.directory = whole.path()});
  checkpointed(with(3), {.directory = parts.path()});
  const mtl::Checkpointing resume{.directory = parts.path(), .resume = true};
  CHECK(checkpointed(with(3), resume).run.epochs() == 3);
  CHECK(checkpointed(with(5), resume).weights.equal(straight.weights));
}

TEST_CASE("Checkpoint: others' files in the folder stay") {
  const TemporaryFolder folder;
  const std::map<std::string, std::string> others = {{"best.safetensors", "somebody's"},
                                                     {"epoch-000001.safetensors.bak", "somebody's"},
                                                     {"epoch-9.safetensors", "somebody's"},
                                                     {"epoch-000100.safetensors", "somebody's"},
                                                     {"notes.tmp", "somebody's"}};
  write_all(folder.path(), others);
  checkpointed({.epochs = 2}, {.directory = folder.path()});
  checkpointed({.epochs = 3}, {.directory = folder.path(), .resume = true});
  checkpointed({.epochs = 1}, {.directory = folder.path()});
  const auto after = contents(folder.path());
  for (const auto& [name, bytes] : others) CHECK(after.at(name) == bytes);
  CHECK(after.size() == others.size() + 2);
}

TEST_CASE("Checkpoint: a file in the way that is not ours is an error, and stays") {
  const TemporaryFolder folder;
  SECTION("the tensors'") {
    write_all(folder.path(), {{"epoch-000001.safetensors", "somebody's"}});
    CHECK(contains(error_text([&] { checkpointed({}, {.directory = folder.path()}); }),
                   "epoch-000001.safetensors"));
    CHECK(mtl::io::read_file(folder / "epoch-000001.safetensors") == "somebody's");
  }
  SECTION("the list") {
    write_all(folder.path(), {{"checkpoint.json", "{\"name\": 1}"}});
    CHECK(contains(error_text([&] { checkpointed({}, {.directory = folder.path()}); }),
                   "checkpoint.json"));
    CHECK(mtl::io::read_file(folder / "checkpoint.json") == "{\"name\": 1}");
  }
}

TEST_CASE("Checkpoint: so many last ones are kept, and deleting the newer ones goes back") {
  const TemporaryFolder whole, parts;
  const mtl::Checkpointing keep{.directory = parts.path(), .keep = 3};
  const auto straight = checkpointed({.epochs = 5}, {.directory = whole.path()});
  checkpointed({.epochs = 5}, keep);
  CHECK(names_in(parts.path()) ==
        std::set<std::string>{"checkpoint.json", "epoch-000003.safetensors",
                              "epoch-000004.safetensors", "epoch-000005.safetensors"});
  fs::remove(parts / "epoch-000005.safetensors");
  fs::remove(parts / "epoch-000004.safetensors");
  auto resume = keep;
  resume.resume = true;
  const auto resumed = checkpointed({.epochs = 5}, resume);
  CHECK(resumed.weights.equal(straight.weights));
  CHECK(names_in(parts.path()).size() == 4);
}

TEST_CASE("Checkpoint: a run that begins anew makes the older one unusable before its first step") {
  const TemporaryFolder folder;
  checkpointed({}, {.directory = folder.path()});
  CHECK_THROWS_AS(
      checkpointed({.lr = 0.02, .callbacks = {ThrowInEpoch{1}}}, {.directory = folder.path()}),
      mtl::Error);
  CHECK(names_in(folder.path()).empty());
  const TemporaryFolder whole;
  const auto straight = checkpointed({.lr = 0.02}, {.directory = whole.path()});
  const auto resumed = checkpointed({.lr = 0.02}, {.directory = folder.path(), .resume = true});
  CHECK(resumed.run.epochs() == 4);
  CHECK(resumed.run.history.csv() != "");
}

TEST_CASE("Checkpoint: a kill between two renames leaves the checkpoint before") {
  const TemporaryFolder whole, parts;
  const auto straight = checkpointed({}, {.directory = whole.path()});
  const auto stopped = [&](int64_t epoch) {
    checkpointed({.callbacks = {StopAfter{epoch}}}, {.directory = parts.path()});
    return contents(parts.path());
  };
  const auto third = stopped(3), second = stopped(2);
  // The tensors of epoch 3 are there, the list still names epoch 2.
  write_all(parts.path(), {{"epoch-000003.safetensors", third.at("epoch-000003.safetensors")}});
  SECTION("the resumed run") {
    const auto resumed = checkpointed({}, {.directory = parts.path(), .resume = true});
    CHECK(resumed.weights.equal(straight.weights));
    CHECK(contents(parts.path()) == contents(whole.path()));
  }
  SECTION("a new run") {
    checkpointed({.epochs = 1}, {.directory = parts.path()});
    CHECK(names_in(parts.path()) ==
          std::set<std::string>{"checkpoint.json", "epoch-000001.safetensors"});
  }
  SECTION("after the list, before the old tensors are removed") {
    write_all(parts.path(), third);
    const auto resumed = checkpointed({}, {.directory = parts.path(), .resume = true});
    CHECK(contents(parts.path()) == contents(whole.path()));
  }
}

TEST_CASE(
    "Checkpoint: one of something else is an error that says what differs, and changes nothing") {
  const TemporaryFolder folder;
  const auto callbacks = [] {
    return std::vector<mtl::Callback>{mtl::EarlyStopping{.patience = 5},
                                      mtl::StepLr{.step_size = 2, .gamma = 0.5}};
  };
  checkpointed({.epochs = 2, .callbacks = callbacks()}, {.directory = folder.path()});
  const auto before = contents(folder.path());
  const auto text = [&](Ingredients other) {
    const auto found = resume_error(other, folder.path());
    CHECK(contains(found, "epoch-000002.safetensors"));
    CHECK(contents(folder.path()) == before);
    return found;
  };
  const auto alike = [&] { return Ingredients{.epochs = 2, .callbacks = callbacks()}; };
  auto other = alike();
  other.optimizer = "adamw";
  CHECK(contains(text(other), "found torch::optim::Adam, this run has torch::optim::AdamW"));
  other = alike();
  other.optimizer = "sgd";
  CHECK(contains(text(other), "this run has torch::optim::SGD"));
  other = alike();
  other.lr = 0.1;
  CHECK(contains(text(other), "lr 0.1"));
  other = alike();
  other.weight_decay = 0.5;
  CHECK(contains(text(other), "weight_decay 0.5"));
  other = alike();
  other.combiner = "sum";
  CHECK(contains(text(other), "optimizer"));  // without Kendall's group
  other = alike();
  other.rows = 40;
  CHECK(contains(text(other), "40 samples"));
  other = alike();
  other.batch_size = 12;
  CHECK(contains(text(other), "batches of 12"));
  other = alike();
  other.loader_seed = 2;
  CHECK(contains(text(other), "seed 2"));
  other = alike();
  other.data_seed = 2;
  CHECK(contains(text(other), "training data"));
  other = alike();
  other.hidden = 5;
  CHECK(contains(text(other), "model"));
  other = alike();
  other.callbacks = {mtl::EarlyStopping{.patience = 5}};
  CHECK(contains(text(other), "mtl::EarlyStopping, mtl::StepLr"));
  other = alike();
  other.callbacks = {};
  CHECK(contains(text(other), "this run has none"));
  other = alike();
  other.callbacks = {mtl::EarlyStopping{.patience = 5}, mtl::StepLr{.step_size = 1, .gamma = 0.5}};
  CHECK(contains(text(other), "rate 0.5 at 1"));
}

TEST_CASE("Checkpoint: another combiner, or other options of it, are an error") {
  const TemporaryFolder folder;
  checkpointed({.combiner = "scaled 2", .epochs = 1}, {.directory = folder.path()});
  CHECK(contains(resume_error({.combiner = "mgda", .epochs = 1}, folder.path()), "mtl::Mgda"));
  CHECK(contains(resume_error({.combiner = "scaled 3", .epochs = 1}, folder.path()),
                 "found factor=2, this run has factor=3"));
  CHECK(resume_error({.combiner = "scaled 2", .epochs = 1}, folder.path()).empty());
}

TEST_CASE("Checkpoint: what a callback cannot take back leaves everything as it was") {
  struct Picky {
    bool refuses = false;
    void on_epoch_end(mtl::TrainState& /*state*/) {}
    mtl::NamedTensors state_dict() const { return mtl::NamedTensors(); }
    void load_state_dict(const mtl::NamedTensors& state) {
      if (refuses) (void)state["what is not there"];
    }
  };
  const TemporaryFolder folder;
  Picky picky;
  mtl::EarlyStopping stopping{.patience = 5};
  const auto with = [&] { return Ingredients{.epochs = 1, .callbacks = {stopping, picky}}; };
  checkpointed(with(), {.directory = folder.path()});
  picky.refuses = true;
  stopping.worse_epochs = 3;
  const auto text = resume_error(with(), folder.path());
  CHECK(contains(text, "Picky"));
  CHECK(contains(text, "what is not there"));
  CHECK_FALSE(contains(text, "frame #"));
  CHECK(stopping.worse_epochs == 3);
}

TEST_CASE("Checkpoint: any flipped bit, and any cut, is an error or harmless") {
  const TemporaryFolder folder;
  const auto straight = checkpointed({.epochs = 2}, {.directory = folder.path(), .keep = 2});
  const auto whole = contents(folder.path());
  const mtl::Checkpointing resume{.directory = folder.path(), .resume = true, .keep = 2};
  for (const auto& [name, bytes] : whole) {
    INFO(name);
    if (name == "epoch-000001.safetensors") continue;  // nobody reads it
    for (size_t i = 0; i < 110; ++i) {
      auto damaged = bytes;
      const size_t at = i < 10 ? i : bytes.size() * (i - 10) / 100;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << (i % 8)));
      write_all(folder.path(), whole);
      write_all(folder.path(), {{name, damaged}});
      torch::Tensor weights;
      const auto text = error_text([&] { weights = checkpointed({.epochs = 2}, resume).weights; });
      INFO("byte " << at);
      if (text.empty())
        CHECK(weights.equal(straight.weights));
      else
        CHECK(contains(text, name));
    }
    for (const size_t size : {size_t{0}, size_t{7}, bytes.size() / 2, bytes.size() - 1}) {
      INFO("cut to " << size);
      write_all(folder.path(), whole);
      write_all(folder.path(), {{name, bytes.substr(0, size)}});
      const auto cut = contents(folder.path());
      if (name == "checkpoint.json" && size == bytes.size() - 1) continue;  // its last line end
      CHECK(contains(error_text([&] { checkpointed({.epochs = 2}, resume); }), name));
      CHECK(contents(folder.path()) == cut);
    }
  }
}

TEST_CASE("Checkpoint: the list does not grow with the history") {
  const TemporaryFolder folder;
  checkpointed({.epochs = 1}, {.directory = folder.path()});
  const auto one = contents(folder.path());
  checkpointed({.epochs = 9}, {.directory = folder.path()});
  const auto nine = contents(folder.path());
  CHECK(nine.at("checkpoint.json").size() == one.at("checkpoint.json").size());
  // 8 bytes a number: epoch, rate, 3 of the training part, 5 of the validation part; the rates of
  // the model's and the combiner's group.
  CHECK(nine.at("epoch-000009.safetensors").size() <
        one.at("epoch-000001.safetensors").size() + 8 * 12 * 8 + 64);
}

TEST_CASE("Checkpoint: a folder that cannot be made, or that another run has, is an error") {
  const TemporaryFolder folder;
  mtl::io::write_file_atomically(folder / "file", "");
  CHECK(contains(error_text([&] { checkpointed({}, {.directory = folder / "file"}); }), "file"));
  CHECK(contains(
      error_text([&] { checkpointed({}, {.directory = folder / std::string(300, 'x')}); }), "xxx"));
  struct Another {
    fs::path directory;
    std::string* text;
    void on_epoch_end(mtl::TrainState& /*state*/) {
      *text = error_text([&] { checkpointed({.epochs = 1}, {.directory = directory}); });
    }
  };
  std::string text;
  checkpointed({.epochs = 1, .callbacks = {Another{folder / "run", &text}}},
               {.directory = folder / "run"});
  CHECK(contains(text, "is held by process"));
  CHECK(contains(error_text([&] { checkpointed({}, {.directory = folder / "run", .keep = 0}); }),
                 "keep 0"));
  CHECK(contains(error_text([&] { checkpointed({}, {.resume = true}); }), "directory"));
}

TEST_CASE("Checkpoint: an older format, or none, is an error that says so") {
  const TemporaryFolder folder;
  for (const char* text : {"{\"format\": 2}", "{\"form", "{\"format\": 3}", "[]"}) {
    mtl::io::write_file_atomically(folder / "checkpoint.json", text);
    CHECK(contains(resume_error({}, folder.path()), "checkpoint.json"));
  }
}

TEST_CASE("Checkpoint: given among the callbacks it does the same") {
  const TemporaryFolder folder;
  checkpointed({.epochs = 2, .callbacks = {mtl::Checkpointing{.directory = folder.path()}}}, {});
  CHECK(names_in(folder.path()).contains("epoch-000002.safetensors"));
  const auto resumed = checkpointed(
      {.epochs = 3, .callbacks = {mtl::Checkpointing{.directory = folder.path(), .resume = true}}},
      {});
  CHECK(resumed.run.epochs() == 3);
  CHECK(contains(error_text([&] {
                   checkpointed({.callbacks = {mtl::Checkpointing{.directory = folder.path()}}},
                                {.directory = folder / "other"});
                 }),
                 "two"));
}
