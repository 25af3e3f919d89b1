package yolov2tf.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import android.content.pm.PackageManager;
import android.graphics.Rect;
import android.view.View;
import org.junit.After;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RuntimeEnvironment;

/** Small and large screens, with fonts of every size: everything can be reached. */
@RunWith(AppRunner.class)
public class LayoutTest {
    private static final int[] CONTROLS = {
        R.id.times, R.id.models, R.id.accelerators, R.id.threshold_text, R.id.threshold, R.id.pick
    };

    @After
    public void usualFont() {
        RuntimeEnvironment.setFontScale(1);
    }

    @Test
    public void smallPhone() throws Exception {
        check("w320dp-h480dp-port-hdpi", "small");
    }

    @Test
    public void smallPhoneTurned() throws Exception {
        check("w480dp-h320dp-land-hdpi", "small-land");
    }

    @Test
    public void phone() throws Exception {
        check("w411dp-h891dp-port-xhdpi", "phone");
    }

    @Test
    public void phoneTurned() throws Exception {
        check("w891dp-h411dp-land-xhdpi", "phone-land");
    }

    @Test
    public void tablet() throws Exception {
        check("w1280dp-h800dp-land-mdpi", "tablet");
    }

    private static void check(String qualifiers, String name) throws Exception {
        for (float font : new float[] {1, 1.3f, 2}) {
            RuntimeEnvironment.setQualifiers(qualifiers);
            RuntimeEnvironment.setFontScale(font);
            try (App app = App.start()) {
                app.answer(PackageManager.PERMISSION_DENIED);
                app.screenshot(name + (font == 1 ? "" : "-font-" + font));
                View all = app.activity().getWindow().getDecorView();
                View stage = app.view(R.id.stage);
                long parts = (long) stage.getWidth() * stage.getHeight() * 10
                        / ((long) all.getWidth() * all.getHeight());
                assertTrue(name + " " + font + ": the stage has " + parts + " tenths", parts >= 3);
                for (int id : CONTROLS) {
                    assertReachable(app, id, name + " at " + font);
                }
                assertReachable(app, R.id.notice_button, name + " at " + font);
            }
        }
    }

    /** Scrolls to it as TalkBack and the keyboard do; then the whole of it is on the screen. */
    private static void assertReachable(App app, int id, String where) {
        View view = app.view(id);
        view.requestRectangleOnScreen(new Rect(0, 0, view.getWidth(), view.getHeight()), true);
        Rect seen = new Rect();
        assertTrue(where, view.getGlobalVisibleRect(seen));
        String name = where + ": " + view.getResources().getResourceEntryName(id);
        assertEquals(name, view.getWidth(), seen.width());
        assertEquals(name, view.getHeight(), seen.height());
        assertTrue(name + " has no size", view.getHeight() > 0);
    }
}
