package yolov2tf.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Collections;
import java.util.Random;
import org.junit.jupiter.api.Test;

class GeometryTest {
    @Test
    void letterboxKeepsTheAspectAndCentres() {
        Placement placement = new Placement(1920, 1080, 416, ResizeMode.LETTERBOX);
        assertEquals(416, placement.width);
        assertEquals(234, placement.height);
        assertEquals(91, placement.top);
        assertEquals(0, placement.left);
        assertEquals(1, new Placement(10_000, 3, 96, ResizeMode.LETTERBOX).height);
    }

    @Test
    void boxesComeBackToThePicture() {
        Random random = new Random(0);
        for (int round = 0; round < 1000; round++) {
            Placement placement = new Placement(1 + random.nextInt(3000), 1 + random.nextInt(3000),
                    320, ResizeMode.LETTERBOX);
            float y = random.nextFloat();
            float x = random.nextFloat();
            float[] box = {
                (placement.top + y * placement.height) / 320,
                (placement.left + x * placement.width) / 320,
                2,
                -1
            };
            placement.toPicture(box, 1);
            float tolerance = 1e-4f * 320 / Math.min(placement.width, placement.height);
            assertArrayEquals(new float[] {y, x, 1, 0}, box, tolerance);
        }
    }

    @Test
    void phonesHeldUprightTurnTheirFrames() {
        assertEquals(90, Orientation.upright(90, 0, false)); // most back cameras
        assertEquals(0, Orientation.upright(90, 90, false));
        assertEquals(270, Orientation.upright(90, 180, false));
        assertEquals(180, Orientation.upright(90, 270, false));
        assertEquals(270, Orientation.upright(270, 0, true)); // most front cameras
        assertEquals(0, Orientation.upright(270, 90, true));
    }

    @Test
    void picturesLieWholeInTheMiddleOfViews() {
        ScreenArea area = new ScreenArea();
        area.fit(200, 100, 1000, 1000, false);
        assertEquals(0, area.x(0));
        assertEquals(1000, area.x(1));
        assertEquals(250, area.y(0));
        assertEquals(750, area.y(1));
        area.fit(200, 100, 1000, 200, true);
        assertEquals(700, area.x(0)); // mirrored
        assertEquals(300, area.x(1));
    }

    @Test
    void theNearestFrameSizeIsChosen() {
        FrameSize wanted = new FrameSize(1280, 960);
        FrameSize[] sizes = {
            new FrameSize(4000, 3000), new FrameSize(1920, 1080), new FrameSize(1280, 960),
            new FrameSize(640, 480)
        };
        assertEquals(sizes[2], FrameSize.nearest(Arrays.asList(sizes), wanted));
        assertEquals(sizes[3], FrameSize.nearest(Arrays.asList(sizes[0], sizes[3]), wanted));
        assertNull(FrameSize.nearest(Collections.emptyList(), wanted));
    }

    @Test
    void topScoresAreThoseThatSortingGives() {
        Random random = new Random(0);
        for (int round = 0; round < 200; round++) {
            Integer[] places = new Integer[random.nextInt(300)];
            float[] scores = new float[places.length];
            TopScores top = new TopScores(50);
            for (int i = 0; i < scores.length; i++) {
                places[i] = i;
                scores[i] = random.nextInt(40) / 40f; // many are equal
                top.offer(scores[i], i);
            }
            top.sort();
            Arrays.sort(places, (a, b) -> Float.compare(scores[b], scores[a])); // stable
            assertEquals(Math.min(50, places.length), top.count());
            for (int i = 0; i < top.count(); i++) {
                assertEquals(places[i], top.index(i));
            }
        }
    }

    @Test
    void averagesForgetTheFirst() {
        MovingAverage average = new MovingAverage(3);
        assertEquals(0, average.mean());
        for (float value : new float[] {100, 1, 2, 3}) {
            average.add(value);
        }
        assertEquals(2, average.mean());
    }
}
