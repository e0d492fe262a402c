#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "checkpointed_run.hpp"

// What becomes of checkpoints where files are damaged, exchanged, or cannot be written.

namespace {

constexpr const char* first = "epoch-000001.safetensors";
constexpr const char* second = "epoch-000002.safetensors";

/// Files of this process may grow to so many bytes, for a while: what a full disk does.
class FileLimit {
 public:
  explicit FileLimit(::rlim_t bytes) : ignored_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const ::rlimit now{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, ignored_);
  }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;

 private:
  void (*ignored_)(int);
  ::rlimit before_{};
};

/// Does something as step `step` ends.
struct AtStep {
  int64_t step;
  std::function<void()> act;
  void on_step_end(mtl::TrainState& state) {
    if (state.step == step) act();
  }
};

}  // namespace

TEST_CASE("Checkpoint files: where the newest is damaged, the error names the one that is whole") {
  const TemporaryFolder folder, whole;
  const mtl::Checkpointing keep{.directory = folder.path(), .resume = true, .keep = 2};
  checkpointed({.epochs = 2}, {.directory = folder.path(), .keep = 2});
  const auto bytes = contents(folder.path());
  mtl::io::write_file_atomically(folder / second, "");
  const auto text = error_text([&] { checkpointed({}, keep); });
  CHECK(contains(text, "epoch-000002.safetensors\": has 0 bytes"));
  CHECK(contains(text, "\"epoch-000001.safetensors\", is whole: delete"));
  std::filesystem::remove(folder / second);
  const auto straight = checkpointed({}, {.directory = whole.path(), .keep = 2});
  CHECK(checkpointed({}, keep).weights.equal(straight.weights));

  write_all(folder.path(), bytes);
  for (const char* name : {first, second}) mtl::io::write_file_atomically(folder / name, "{}");
  CHECK(contains(error_text([&] { checkpointed({}, keep); }), "there is no other"));
}

TEST_CASE("Checkpoint files: one under another's name, or of another run, is an error") {
  const TemporaryFolder folder, other;
  const mtl::Checkpointing keep{.directory = folder.path(), .keep = 2};
  checkpointed({.epochs = 2}, keep);
  const auto before = contents(folder.path());
  SECTION("exchanged") {
    write_all(folder.path(), {{first, before.at(second)}, {second, before.at(first)}});
    CHECK(contains(resume_error({}, folder.path()),
                   "it is the checkpoint \"epoch-000001.safetensors\" under another name"));
  }
  SECTION("of a run that is made of the same but began with other weights") {
    checkpointed({.epochs = 2, .model_seed = 4}, {.directory = other.path()});
    write_all(folder.path(), {{second, mtl::io::read_file(other / second)}});
    CHECK(contains(resume_error({}, folder.path()), "it is of another run than"));
  }
  SECTION("the list of such a run") {
    checkpointed({.epochs = 2, .model_seed = 4}, {.directory = other.path()});
    write_all(folder.path(), {{"checkpoint.json", mtl::io::read_file(other / "checkpoint.json")}});
    CHECK(contains(resume_error({}, folder.path()), "it is of another run than"));
  }
  SECTION("some other safetensors file") {
    mtl::io::write_safetensors(folder / second, {{"x", torch::ones({2})}});
    CHECK(contains(resume_error({}, folder.path()), "it is no checkpoint of this library"));
  }
  auto after = contents(folder.path());
  CHECK(after.size() == 3);
  CHECK(resume_error({.hidden = 5}, folder.path()) != "");
  CHECK(contents(folder.path()) == after);
}

TEST_CASE("Checkpoint files: links that lead out of the folder, and pipes, are not followed") {
  const TemporaryFolder folder, outside;
  checkpointed({.epochs = 2}, {.directory = folder.path()});
  for (const char* name : {second, "checkpoint.json"}) {
    INFO(name);
    std::filesystem::rename(folder / name, outside / name);
    std::filesystem::create_symlink(outside / name, folder / name);
    CHECK(contains(resume_error({}, folder.path()), "is a link that leads out of its folder"));
    std::filesystem::remove(folder / name);
    REQUIRE(::mkfifo((folder / name).c_str(), 0600) == 0);
    CHECK(contains(resume_error({}, folder.path()), "is no regular file"));
    std::filesystem::remove(folder / name);
    std::filesystem::rename(outside / name, folder / name);
  }
  REQUIRE(::mkfifo((folder / "epoch-000009.safetensors").c_str(), 0600) == 0);  // a stray one
  CHECK(resume_error({}, folder.path()).empty());
}

TEST_CASE("Checkpoint files: numbers and types that no run has are errors") {
  const TemporaryFolder folder;
  checkpointed({.epochs = 1}, {.directory = folder.path(), .every_steps = 2});
  const auto whole = contents(folder.path());
  const std::string name = *names_in(folder.path()).rbegin();
  /// What a resumed run says of the newest file after a change to its description and tensors.
  const auto fault = [&](const std::function<void(mtl::io::Json&, mtl::NamedTensors&)>& change) {
    write_all(folder.path(), whole);
    mtl::io::Metadata metadata;
    mtl::NamedTensors tensors = mtl::io::read_safetensors(folder / name, &metadata);
    mtl::io::Json about = mtl::io::parse_json(metadata.at("mtl_checkpoint"));
    change(about, tensors);
    mtl::io::write_safetensors(folder / name, tensors,
                               {{"mtl_checkpoint", mtl::io::json_text(about, -1)}});
    return resume_error({}, folder.path());
  };
  CHECK(fault([](auto&, auto&) {}).empty());
  for (const char* key : {"step", "faulty_batches", "faulty_rows", "unlabelled_batches"})
    for (const int64_t value : {int64_t{-1}, INT64_MAX}) {
      INFO(key << " = " << value);
      CHECK(contains(fault([&](auto& about, auto&) { about[key] = value; }),
                     std::string(key) + " is " + std::to_string(value)));
    }
  for (const int64_t value : {int64_t{0}, int64_t{-5}, INT64_MAX})
    CHECK(contains(fault([&](auto& about, auto&) {
                     about["within_epoch"] = {
                         {"batch", value}, {"steps_before", 0}, {"faulty_before", 0}, {"made", 0}};
                   }),
                   "batch is " + std::to_string(value)));
  CHECK(contains(fault([](auto&, mtl::NamedTensors& tensors) {
                   for (auto& item : tensors)
                     if (item.key().ends_with("exp_avg"))
                       item.value() = item.value().to(torch::kInt8);
                 }),
                 "is of type Char, the parameter of Float"));
  CHECK(contains(fault([](auto&, mtl::NamedTensors& tensors) {
                   mtl::NamedTensors rest;
                   for (const auto& item : tensors)
                     if (!item.key().ends_with("exp_avg")) rest.insert(item.key(), item.value());
                   tensors = rest;
                 }),
                 "is missing"));
}

TEST_CASE("Checkpoint files: a full disk is an error that names the file, the one before stays") {
  const TemporaryFolder folder, whole;
  const auto straight = checkpointed({}, {.directory = whole.path(), .every_steps = 2});
  const auto text = error_text([&] {
    std::unique_ptr<FileLimit> limit;
    const AtStep full{8, [&] { limit = std::make_unique<FileLimit>(4096); }};
    checkpointed({.callbacks = {full}}, {.directory = folder.path(), .every_steps = 2});
  });
  CHECK(contains(text, "step-000000008.safetensors\": File too large"));
  CHECK(names_in(folder.path()) ==
        std::set<std::string>{"checkpoint.json", "epoch-000002.safetensors"});
  const auto resumed =
      checkpointed({}, {.directory = folder.path(), .resume = true, .every_steps = 2});
  CHECK(resumed.weights.equal(straight.weights));
  CHECK(contents(folder.path()) == contents(whole.path()));
}

TEST_CASE("Checkpoint files: a folder that is gone, or may not be written, is an error") {
  const TemporaryFolder folder;
  const auto place = folder / "run";
  SECTION("gone") {
    const AtStep remove{2, [&] { std::filesystem::rename(place, folder / "elsewhere"); }};
    CHECK(contains(error_text([&] {
                     checkpointed({.callbacks = {remove}}, {.directory = place, .every_steps = 1});
                   }),
                   "step-000000002.safetensors\": No such file"));
    CHECK(names_in(folder / "elsewhere").contains("step-000000001.safetensors"));
  }
  SECTION("without permission") {
    if (::geteuid() == 0) return;  // may write everywhere
    const auto allow = [&](std::filesystem::perms perms) {
      std::filesystem::permissions(place, perms);
    };
    const AtStep forbid{2, [&] { allow(std::filesystem::perms(0500)); }};
    const auto text = error_text(
        [&] { checkpointed({.callbacks = {forbid}}, {.directory = place, .every_steps = 1}); });
    allow(std::filesystem::perms::owner_all);
    CHECK(contains(text, "step-000000002.safetensors\": Permission denied"));
    CHECK(names_in(place).contains("step-000000001.safetensors"));
  }
}

TEST_CASE("Checkpoint files: the last ones and the best stay") {
  const TemporaryFolder folder;
  const auto third = [](const mtl::EpochRecord& r) { return std::abs(double(r.epoch) - 3); };
  const mtl::Checkpointing keep{
      .directory = folder.path(), .keep = 2, .every_steps = 2, .keep_best = true, .watch = third};
  checkpointed({.epochs = 6}, keep);
  CHECK(names_in(folder.path()) ==
        std::set<std::string>{"checkpoint.json", "epoch-000003.safetensors",
                              "epoch-000006.safetensors", "step-000000018.safetensors"});
  // To go back to the best, the newer ones are deleted.
  for (const char* name : {"epoch-000006.safetensors", "step-000000018.safetensors"})
    std::filesystem::remove(folder / name);
  auto resume = keep;
  resume.resume = true;
  const TemporaryFolder whole;
  const auto straight = checkpointed({.epochs = 6}, {.directory = whole.path()});
  CHECK(checkpointed({.epochs = 6}, resume).weights.equal(straight.weights));
}

TEST_CASE("Checkpoint files: options that make no sense are errors") {
  const TemporaryFolder folder;
  const auto text = [&](mtl::Checkpointing options) {
    options.directory = folder.path();
    return error_text([&] { checkpointed({.epochs = 1}, options); });
  };
  CHECK(contains(text({.every_steps = -1}), "found every_steps -1"));
  CHECK(contains(text({.every_seconds = -1}), "found every_seconds -1"));
  CHECK(contains(text({.every_seconds = std::nan("")}), "found every_seconds nan"));
  CHECK(contains(text({.keep_best = true, .watch = {"c"}}), "Checkpointing: cannot watch c loss"));
}
