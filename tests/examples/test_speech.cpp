#include "voices.hpp"

#include <map>

#include "catch.hpp"

TEST_CASE("Speech: the same seed says the same, labels are words of two syllables") {
  speech::Studio a(3), b(3), c(4);
  const auto one = a.samples(6, 4, 3), two = b.samples(6, 4, 3);
  CHECK_FALSE(one[0].inputs["frames"].equal(c.samples(1, 1, 1)[0].inputs["frames"]));
  for (size_t n = 0; n < one.size(); ++n) {
    const mtl::Tensor frames = one[n].inputs["frames"], words = one[n].targets["words"];
    CHECK(frames.equal(two[n].inputs["frames"]));
    CHECK(frames.size(1) == speech::bands);
    CHECK(frames.isfinite().all().item<bool>());
    CHECK(frames.std().item<double>() > 0.1);
    CHECK((one[n].targets["speaker"].item<int64_t>() == mtl::missing_class) == (n >= 3));
    CHECK(words.eq(mtl::missing_class).all().item<bool>() == (n >= 4));
    if (n >= 4) continue;
    std::string text;
    for (int64_t i = 0; i < words.size(0); ++i) text += speech::letter_of(words[i].item<int64_t>());
    INFO(text);
    for (size_t i = 0; i < text.size(); ++i) {
      const bool vowel = std::string("aeiou").find(text[i]) != std::string::npos;
      CHECK((text[i] == ' ') == (i % 5 == 4));
      CHECK(vowel == (i % 5 == 1 || i % 5 == 3));
    }
    // One step of two frames a label, and a few more: CTC has room.
    CHECK(frames.size(0) / 2 > words.size(0));
  }
}

TEST_CASE("Speech: a longer tract moves the formants down") {
  speech::Studio studio(1);
  const mtl::Tensor place = torch::arange(speech::bands, torch::kFloat);
  std::map<int64_t, std::vector<double>> centres;
  for (const mtl::Sample& sample : studio.samples(150, 0, 150)) {
    // Energies above the noise, of speech without its fine structure.
    const mtl::Tensor energies = (3 * sample.inputs["frames"]).exp().mean(0).sqrt();
    centres[sample.targets["speaker"].item<int64_t>()].push_back(
        ((energies * place).sum() / energies.sum()).item<double>());
  }
  // Speakers 6 and 7 are of nearly one pitch; their tracts are 0.93 and 1.16 of a man's.
  CHECK(mtl::evaluate::mean(centres[6]) > mtl::evaluate::mean(centres[7]) + 0.5);
}
