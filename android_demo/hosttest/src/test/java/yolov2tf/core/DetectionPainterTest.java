package yolov2tf.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is drawn, and where. */
class DetectionPainterTest {
    private static final List<String> NAMES = Arrays.asList("cat", "dog", "a longer name");
    private static final float WIDTH = 400;
    private static final float HEIGHT = 300;

    @Test
    void captionsStayOnThePicture() {
        Detections found = new Detections(3);
        found.add(0.9f, 0.95f, 1, 1, 7, 1.5f); // a label without a name
        found.add(0, 0.9f, 1, 1, 0, 0.5f);
        found.add(0.001f, 0, 0.3f, 0.1f, 1, 0.4f);
        Recorder drawn = paint(found, 0, false);
        assertEquals(Arrays.asList("? 100 %", "cat  50 %", "dog  40 %"), drawn.texts);
        assertEquals(3, drawn.outlines);
    }

    @Test
    void whatScoresLessThanTheThresholdIsNotDrawn() {
        Detections found = new Detections(2);
        found.add(0.1f, 0.1f, 0.4f, 0.4f, 0, 0.75f);
        found.add(0.5f, 0.5f, 0.9f, 0.9f, 1, 0.5f);
        assertEquals(2, paint(found, 0.25f, false).outlines);
        assertEquals(Arrays.asList("cat  75 %"), paint(found, 0.5f, false).texts);
        assertEquals(0, paint(found, 0.75f, false).outlines);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 5, 20, 100})
    void captionsNeverCoverEachOther(int count) {
        Random random = new Random(count);
        for (int round = 0; round < 40; round++) {
            boolean crowded = round % 2 == 0;
            Detections found = new Detections(count);
            for (int i = 0; i < count; i++) {
                float top = crowded ? 0.4f + 0.01f * random.nextFloat() : random.nextFloat();
                float left = crowded ? 0.4f + 0.01f * random.nextFloat() : random.nextFloat();
                found.add(top, left, top + (1 - top) * random.nextFloat(),
                        left + (1 - left) * random.nextFloat(), random.nextInt(3), 1 - 0.009f * i);
            }
            Recorder drawn = paint(found, 0, round % 3 == 0);
            assertEquals(count, drawn.outlines);
            // The best has a caption, and so have all where there is room.
            assertEquals(NAMES.get(found.label(0)) + "  100 %", drawn.texts.get(0));
            assertTrue(count > 5 || drawn.captions.size() >= 2);
            for (int i = 0; i < drawn.captions.size(); i++) {
                for (int j = 0; j < i; j++) {
                    assertFalse(drawn.captions.get(i).intersects(drawn.captions.get(j)),
                            drawn.texts.get(i) + " covers " + drawn.texts.get(j));
                }
            }
        }
    }

    @Test
    void twoObjectsInOnePlaceBothHaveTheirNames() {
        Detections found = new Detections(2);
        found.add(0.3f, 0.3f, 0.9f, 0.9f, 0, 0.9f);
        found.add(0.3f, 0.3f, 0.9f, 0.9f, 1, 0.8f);
        assertEquals(Arrays.asList("cat  90 %", "dog  80 %"), paint(found, 0, false).texts);
    }

    private static Recorder paint(Detections found, float threshold, boolean mirrored) {
        ScreenArea area = new ScreenArea();
        area.fit(WIDTH, HEIGHT, WIDTH, HEIGHT, mirrored);
        Recorder recorder = new Recorder();
        new DetectionPainter(12, 2).paint(found, threshold, NAMES, area, recorder);
        return recorder;
    }

    /** Notes what is drawn; captions must stay on the picture. */
    private static final class Recorder implements Brush {
        private final List<Rectangle2D.Float> captions = new ArrayList<>();
        private final List<String> texts = new ArrayList<>();
        private int outlines;

        @Override
        public void outline(float left, float top, float right, float bottom, float thickness,
                int argb) {
            outlines++;
        }

        @Override
        public void fill(float left, float top, float right, float bottom, int argb) {
            assertTrue(left >= 0 && right <= WIDTH && top >= 0 && bottom <= HEIGHT);
            // A hair less: neighbours may touch, and sums of floats round.
            captions.add(new Rectangle2D.Float(left + 0.01f, top + 0.01f, right - left - 0.02f,
                    bottom - top - 0.02f));
        }

        @Override
        public void write(String text, float left, float baseline, float size, int argb) {
            texts.add(text);
        }

        @Override
        public float widthOf(String text, float size) {
            return 0.6f * size * text.length();
        }
    }
}
